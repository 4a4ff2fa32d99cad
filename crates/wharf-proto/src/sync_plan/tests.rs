use std::collections::BTreeMap;
use std::slice::from_ref;
use std::time::Duration;

use super::*;
use crate::ErrorKind;
use crate::checksum::ChecksumAlgorithm;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn entry(key: &str, size: u64, seconds: u64) -> Entry {
    Entry::new(key, size).modified(at(seconds))
}

/// All actions, or the disorder.
fn plan(rules: Rules, source: &[Entry], target: &[Entry]) -> Result<(Vec<Action>, SyncPlan), Disorder> {
    let mut plan = SyncPlan::new(rules);
    let (mut source, mut target) = (source.iter().cloned(), target.iter().cloned());
    let mut actions = Vec::new();
    loop {
        match plan.next() {
            Step::Need(Side::Source) => plan.offer(Side::Source, source.next())?,
            Step::Need(Side::Target) => plan.offer(Side::Target, target.next())?,
            Step::Act(action) => actions.push(action),
            Step::Done => return Ok((actions, plan)),
        }
    }
}

/// An action in a word and a key.
fn words(actions: &[Action]) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Transfer { source, because } => format!("{because:?} {}", source.key),
        Action::Compare { source, .. } => format!("Compare {}", source.key),
        Action::Keep(source) => format!("Keep {}", source.key),
        Action::Delete(target) => format!("Delete {}", target.key),
        Action::Skip(entry) => format!("Skip {}", entry.key),
    };
    actions.iter().map(word).collect()
}

fn rules(compare: Compare, delete: bool) -> Rules {
    Rules { compare, delete, keep: false }
}

#[test]
fn each_rule_has_its_differences() {
    let source = [entry("a", 1, 10), entry("b", 1, 10), entry("c", 1, 20), entry("d", 1, 5), entry("new", 1, 1)];
    let target = [entry("a", 1, 10), entry("b", 2, 10), entry("c", 1, 10), entry("d", 1, 10), entry("old", 1, 1)];
    for (compare, expected) in [
        (Compare::SizeAndTime, "Skip a,Size b,Time c,Skip d,Missing new,Delete old"),
        (Compare::SizeAndLaterTarget, "Skip a,Size b,Skip c,Time d,Missing new,Delete old"),
        (Compare::SizeOnly, "Skip a,Size b,Skip c,Skip d,Missing new,Delete old"),
        (Compare::ExactTime, "Skip a,Size b,Time c,Time d,Missing new,Delete old"),
        (Compare::Checksum, "Compare a,Size b,Compare c,Compare d,Missing new,Delete old"),
    ] {
        let (actions, _) = plan(rules(compare, true), &source, &target).unwrap();
        assert_eq!(words(&actions).join(","), expected, "{compare:?}");
    }
    let (actions, _) = plan(Rules::default(), &source, &target).unwrap();
    assert_eq!(words(&actions).last().unwrap(), "Skip old");
}

#[test]
fn what_is_there_is_kept_where_that_is_the_rule() {
    let source = [entry("a", 1, 10), entry("b", 1, 10), entry("c", 1, 20), entry("d", 1, 5), entry("new", 1, 1)];
    let target = [entry("a", 1, 10), entry("b", 2, 10), entry("c", 1, 10), entry("d", 1, 10), entry("old", 1, 1)];
    for (compare, expected) in [
        (Compare::SizeAndTime, "Skip a,Keep b,Keep c,Skip d,Missing new"),
        (Compare::SizeAndLaterTarget, "Skip a,Keep b,Skip c,Keep d,Missing new"),
        (Compare::SizeOnly, "Skip a,Keep b,Skip c,Skip d,Missing new"),
        (Compare::ExactTime, "Skip a,Keep b,Keep c,Keep d,Missing new"),
        // Nobody is asked for its bytes.
        (Compare::Checksum, "Keep a,Keep b,Keep c,Keep d,Missing new"),
    ] {
        for (delete, extra) in [(false, "Skip old"), (true, "Delete old")] {
            let (actions, _) = plan(Rules { keep: true, ..rules(compare, delete) }, &source, &target).unwrap();
            assert_eq!(words(&actions).join(","), format!("{expected},{extra}"), "{compare:?}");
        }
    }
    // What is kept is told by what would have been brought.
    let (actions, _) = plan(Rules { keep: true, ..Rules::default() }, &source[1..2], &target[1..2]).unwrap();
    assert_eq!(actions, [Action::Keep(source[1].clone())]);
}

/// What was written again within the second must not look unchanged for ever.
#[test]
fn fractions_of_a_second_count() {
    let later = Entry::new("a", 1).modified(at(10) + Duration::from_millis(900));
    let other = Entry::new("a", 1).modified(at(10));
    for (compare, one_way, the_other) in [
        (Compare::SizeAndTime, "Compare a", "Skip a"),
        (Compare::SizeAndLaterTarget, "Skip a", "Time a"),
        (Compare::ExactTime, "Time a", "Time a"),
    ] {
        let actions =
            |source, target| words(&plan(rules(compare, false), from_ref(source), from_ref(target)).unwrap().0);
        assert_eq!((actions(&later, &other), actions(&other, &later)), (vec![one_way.into()], vec![the_other.into()]));
    }
    let keep = Rules { keep: true, ..Rules::default() };
    assert_eq!(words(&plan(keep, from_ref(&later), from_ref(&other)).unwrap().0), ["Skip a"]);
    // Whoever keeps fractions, or is a second apart, leaves no doubt.
    let [early, late] = [300, 1300].map(|millis| Entry::new("a", 1).modified(at(10) + Duration::from_millis(millis)));
    for (source, target) in [(&later, &early), (&late, &other)] {
        let (actions, _) = plan(Rules::default(), from_ref(source), from_ref(target)).unwrap();
        assert_eq!(words(&actions), ["Time a"]);
    }
    // What nobody knows is transferred.
    assert_eq!(words(&plan(Rules::default(), &[Entry::new("a", 1)], &[other]).unwrap().0), ["Time a"]);
}

#[test]
fn known_checksums_decide() {
    let with = |bytes: &[u8], algorithm: ChecksumAlgorithm| {
        let mut entry = entry("a", 1, 1);
        entry.checksum = Some(algorithm.checksum(bytes));
        entry
    };
    let crc = ChecksumAlgorithm::Crc64Nvme;
    for (source, target, expected) in [
        (with(b"x", crc), with(b"x", crc), "Skip a"),
        (with(b"x", crc), with(b"y", crc), "Content a"),
        (with(b"x", crc), with(b"x", ChecksumAlgorithm::Crc32), "Compare a"),
    ] {
        let keep = Rules { keep: true, ..rules(Compare::Checksum, false) };
        let kept = if expected == "Skip a" { expected } else { "Keep a" };
        let [source, target] = [[source], [target]];
        assert_eq!(words(&plan(rules(Compare::Checksum, false), &source, &target).unwrap().0), [expected]);
        assert_eq!(words(&plan(keep, &source, &target).unwrap().0), [kept]);
    }
}

#[test]
fn keys_are_in_the_order_of_their_bytes() {
    // A folder's files come behind a name that begins like it and goes on with a dot.
    let sorted = ["a", "a-b", "a.b", "a/b", "a0", "aa", "é", "\u{e000}", "\u{10000}"];
    let entries: Vec<_> = sorted.iter().map(|key| entry(key, 1, 1)).collect();
    assert_eq!(plan(Rules::default(), &entries, &entries).unwrap().0.len(), sorted.len());
    for (before, key) in [("a/b", "a.b"), ("a", "a"), ("b", "a")] {
        let entries = [entry(before, 1, 1), entry(key, 1, 1)];
        for (source, target, side) in [(&entries[..], &[][..], Side::Source), (&[], &entries, Side::Target)] {
            let disorder = plan(Rules::default(), source, target).unwrap_err();
            assert_eq!(disorder, Disorder { side, before: before.to_owned(), key: key.to_owned() });
        }
    }
}

#[test]
fn an_empty_source_deletes_nothing_unless_it_may_be_empty() {
    let delete = rules(Compare::default(), true);
    let (actions, plan_of_nothing) = plan(delete, &[], &[entry("a", 1, 1), entry("b", 1, 1)]).unwrap();
    assert_eq!(words(&actions), ["Delete a", "Delete b"]);
    let error = plan_of_nothing.may_delete(false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("2 entries of the target"), "{error}");
    assert!(plan_of_nothing.may_delete(true).unwrap());
    assert!(plan(delete, &[], &[]).unwrap().1.may_delete(false).unwrap());
    // A side that has not ended may have more.
    let mut half = SyncPlan::new(delete);
    half.offer(Side::Target, None).unwrap();
    half.offer(Side::Source, Some(entry("a", 1, 1))).unwrap();
    assert!(!half.may_delete(true).unwrap());
}

/// What the plan must come to, by maps.
#[test]
fn any_two_sides_become_the_same() {
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..500 {
        let mut side = || -> BTreeMap<String, Entry> {
            let count = next(30);
            let keys = (0..count).map(|_| format!("{}{}", ["a", "a/", "a.", "é"][next(4) as usize], next(10)));
            let keys: Vec<_> = keys.collect();
            keys.into_iter().map(|key| (key.clone(), entry(&key, next(2), next(2)))).collect()
        };
        let (source, mut target) = (side(), side());
        let [sources, targets] = [&source, &target].map(|side| side.values().cloned().collect::<Vec<_>>());
        let (actions, _) = plan(rules(Compare::ExactTime, true), &sources, &targets).unwrap();
        assert!(actions.len() <= source.len() + target.len());
        for action in actions {
            match action {
                Action::Transfer { source, .. } => drop(target.insert(source.key.clone(), source)),
                Action::Delete(extra) => drop(target.remove(&extra.key).unwrap()),
                Action::Skip(same) => assert_eq!(target[&same.key], same),
                Action::Keep(_) | Action::Compare { .. } => unreachable!(),
            }
        }
        assert_eq!(source, target);
    }
}
