//! The ten commands of the README, as they stand there.

#![cfg(unix)]

use std::env;
use std::path::Path;

use crate::bench::Bench;

/// The lines of the README's block that makes a bucket.
fn commands() -> Vec<&'static str> {
    let readme = include_str!("../../../../README.md");
    let block = readme.split("```").find(|block| block.starts_with("sh\nwharf mb ")).unwrap();
    block
        .lines()
        .skip(1)
        .map(|line| line.split("   #").next().unwrap().trim())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_commands_of_the_readme_do_what_they_say() {
    let bench = Bench::new();
    bench.wait(bench.s3.delete_bucket(&bench.bucket));
    bench.file("film.mp4", vec![7; 20 << 20]);
    bench.files(&["photos/2026-1.jpg", "photos/2026-2.jpg", "photos/2025-1.jpg", "photos/list.txt"]);
    let folder = Path::new(env!("CARGO_BIN_EXE_wharf")).parent().unwrap().to_owned();
    let path = env::join_paths([folder].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    let commands = commands();
    assert_eq!(commands.len(), 10);
    let outputs: Vec<_> = commands
        .iter()
        .map(|line| {
            let mut command = bench.shell(line);
            let (exit, stdout, stderr) = bench.ran(command.env("PATH", &path).output().unwrap());
            assert_eq!((exit, stderr.as_str()), (0, ""), "{line}");
            stdout
        })
        .collect();
    let [made, up, synced, listed, down, piped, link, moved, verified, would] = outputs.try_into().unwrap();
    assert_eq!(made, "make_bucket: my-bucket\n");
    assert_eq!(up, "upload: ./film.mp4 to s3://my-bucket/film.mp4\n");
    assert_eq!(synced.matches("upload: photos/").count(), 4);
    assert!(listed.contains(" 20.0 MiB film.mp4\n") && listed.contains("Total Objects: 5\n"), "{listed}");
    assert_eq!((down.lines().count(), bench.tree("best")), (2, vec!["2026-1.jpg".to_owned(), "2026-2.jpg".to_owned()]));
    assert_eq!(piped, "");
    assert!(link.contains("X-Amz-Expires=600"), "{link}");
    assert_eq!(moved, "move: s3://my-bucket/film.mp4 to s3://my-bucket/old/film.mp4\n");
    assert_eq!(verified, "4 same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n");
    assert_eq!(would, "(dryrun) delete: s3://my-bucket/photos/list.txt\n");
    assert!(bench.keys().contains(&"photos.tar".to_owned()));
}
