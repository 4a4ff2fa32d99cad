//! Listings of invented buckets, round by round: all requests of a round are answered together.

use std::collections::BTreeSet;

use super::*;

const PAGE: usize = 100;

/// What a listing took.
struct Run {
    rounds: usize,
    requests: usize,
    waiting: usize,
    keys: Vec<String>,
}

/// Lists `keys` with `n` requests at a time.
fn list(keys: &[String], n: usize, order: Order) -> Run {
    list_by(keys, n, order, PAGE)
}

fn list_by(keys: &[String], n: usize, order: Order, page_size: usize) -> Run {
    let mut space = KeySpace::new("", None, order);
    let mut run = Run { rounds: 0, requests: 0, waiting: 0, keys: Vec::new() };
    while !space.is_done() {
        let mut asks = Vec::new();
        while asks.len() < n.min(space.sensible()) {
            let Some(ask) = space.ask().or_else(|| space.ask_more()) else { break };
            asks.push(ask);
        }
        assert!(!asks.is_empty(), "it stands still");
        run.rounds += 1;
        run.requests += asks.len();
        for ask in asks {
            // The token of this server is the key to begin after.
            let after = ask.token.or(ask.after);
            let from = after.map_or(0, |after| keys.partition_point(|key| *key <= after));
            let page = &keys[from..(from + page_size).min(keys.len())];
            let next = page.last().filter(|_| from + page_size < keys.len()).cloned();
            let kept = space.answered(ask.range, page, next.as_deref()).unwrap();
            if !kept.is_empty() {
                space.put(ask.range, page[kept].to_vec());
            }
        }
        run.waiting = run.waiting.max(space.ranges.iter().map(|range| range.ready.len()).sum());
        while let Some(page) = space.page() {
            run.keys.extend(page);
        }
    }
    run
}

/// Keys as buckets have them, each with how many times faster 16 requests at a time must be than one, in any order and by key.
fn buckets() -> Vec<(&'static str, (f64, f64), Vec<String>)> {
    let mut random = 1_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 16
    };
    let mut hex = |digits: usize| format!("{:0digits$x}", next() & ((1 << (4 * digits)) - 1));
    let uuids: Vec<_> = (0..50_000).map(|_| format!("images/{}-{}.jpg", hex(8), hex(4))).collect();
    let days =
        (0..50_000).map(|n| format!("logs/2026/{:02}/{:02}/part-{:05}.gz", 1 + n / 5000, 1 + n / 500 % 28, n % 500));
    let directories = (0..50_000).map(|n| format!("d{:x}/file-{}", (n / 2000_u64 * 2_654_435_761) % 65_536, n % 2000));
    vec![
        ("numbered", (12.0, 10.0), (0..100_000).map(|n| format!("obj-{n:07}")).collect()),
        ("not padded", (11.0, 9.0), (0..50_000).map(|n| format!("img-{n}")).collect()),
        ("random", (11.0, 9.0), uuids),
        ("days", (8.0, 2.5), days.collect()),
        ("directories", (9.0, 2.0), directories.collect()),
        (
            "two heaps",
            (11.0, 9.0),
            (0..50_000).map(|n| format!("{}/{n:06}", if n % 10 == 0 { "zz" } else { "a" })).collect(),
        ),
        (
            "one heap deep down",
            (11.0, 9.0),
            (0..50_000).map(|n| format!("{}{n:05}", "deep/down/there/".repeat(20))).collect(),
        ),
        (
            "foreign",
            (1.3, 1.3),
            (0..50_000).map(|n| format!("фото/{}{}", char::from_u32(0x4e00 + n / 50).unwrap(), n % 50)).collect(),
        ),
    ]
}

fn sorted(keys: Vec<String>) -> Vec<String> {
    keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn every_key_comes_once_and_soon() {
    for (name, times, keys) in buckets() {
        let keys = sorted(keys);
        let alone = list(&keys, 1, Order::Any);
        assert_eq!(alone.rounds, keys.len().div_ceil(PAGE), "{name}");
        for order in [Order::Any, Order::ByKey { ahead: 64 }] {
            let run = list(&keys, 16, order);
            let faster = alone.rounds as f64 / run.rounds as f64;
            let more = run.requests as f64 / alone.requests as f64;
            println!(
                "{name} {order:?}: {faster:.1} times as fast, {more:.2} times the requests, {} waiting",
                run.waiting
            );
            if order == Order::Any {
                assert_eq!(sorted(run.keys.clone()), keys, "{name}");
                assert_eq!(run.keys.len(), keys.len(), "{name}");
            } else {
                assert!(run.keys == keys, "{name}");
                assert!(run.waiting <= 2 * 64 + 16, "{name}: {}", run.waiting);
            }
            let times = if order == Order::Any { times.0 } else { times.1 };
            assert!(faster >= times, "{name} {order:?}: {faster}");
            assert!(more < 1.6, "{name} {order:?}: {more}");
        }
    }
}

#[test]
fn any_keys_come_once_by_pages_of_any_size() {
    let mut random = 3_u64;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    const PIECES: [&str; 12] = ["a", "b", "/", "0", "9", "aa/", "\u{1}", "~", "é", "日", "\u{fffd}", "\u{10ffff}"];
    for _ in 0..800 {
        let mut key = || (0..=next(5)).map(|_| PIECES[next(PIECES.len())]).collect::<String>();
        let keys = sorted((0..60).map(|_| key()).collect());
        let (n, size) = (1 + next(8), 1 + next(6));
        for order in [Order::Any, Order::ByKey { ahead: 1 + next(10) }] {
            let run = list_by(&keys, n, order, size);
            let found = if order == Order::Any { sorted(run.keys.clone()) } else { run.keys.clone() };
            assert_eq!((run.keys.len(), found), (keys.len(), keys.clone()), "{n} at a time, {size} a page, {order:?}");
        }
    }
}

#[test]
fn a_short_listing_costs_what_it_did() {
    let keys: Vec<_> = (0..PAGE).map(|n| format!("{n:03}")).collect();
    assert_eq!(list(&keys, 16, Order::Any).requests, 1);
    assert_eq!(list(&[], 16, Order::Any).requests, 1);
}

#[test]
fn a_listing_out_of_order_is_noticed() {
    // Before the first cut it does no harm.
    let mut space = KeySpace::new("", None, Order::ByKey { ahead: 64 });
    let ask = space.ask().unwrap();
    let kept = space.answered(ask.range, &["b", "c", "a"], Some("t")).unwrap();
    assert_eq!(kept, 0..3);
    space.put(ask.range, "first");
    assert!(space.ask_more().is_none());
    let ask = space.ask().unwrap();
    assert!(space.ask_more().is_none());
    assert_eq!(space.answered(ask.range, &["d", "0"], None).unwrap(), 0..2);
    space.put(ask.range, "second");
    assert_eq!((space.page(), space.page(), space.is_done()), (Some("first"), Some("second"), true));

    // After it, nobody knows what is missing.
    let mut space = KeySpace::<()>::new("", None, Order::Any);
    let ask = space.ask().unwrap();
    let keys: Vec<_> = (0..PAGE).map(|n| format!("{n:06}")).collect();
    space.answered(ask.range, &keys, Some("t")).unwrap();
    let (next, cut) = (space.ask().unwrap(), space.ask_more().unwrap());
    assert!(space.answered(next.range, &["000098"], Some("t")).is_err());
    assert!(space.answered(cut.range, &["1", "0"], Some("t")).is_err());
}

#[test]
fn a_group_on_both_sides_of_a_cut_belongs_where_its_name_does() {
    let mut space = KeySpace::<()>::new("", None, Order::Any);
    let ask = space.ask().unwrap();
    let keys: Vec<_> = (0..PAGE).map(|n| format!("{n:06}/")).collect();
    space.answered(ask.range, &keys, Some("t")).unwrap();
    let (_, cut) = (space.ask().unwrap(), space.ask_more().unwrap());
    let cut_at = cut.after.clone().unwrap();
    // Its keys go on behind the cut, so that the server names it again.
    let group = cut_at[..cut_at.len() - 1].to_owned();
    assert_eq!(space.answered(cut.range, &[group, "9/".to_owned()], None).unwrap(), 1..2);
}
