//! `wharf serve` over HTTPS.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bench::{bare, done, failed, run};
use crate::serve::Serving;

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-cli-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Sets what the server printed, as a shell would.
fn export(command: &mut Command, lines: &[String]) {
    for line in lines {
        let Some(pairs) = line.strip_prefix("export ") else { continue };
        for (name, value) in pairs.split(' ').filter_map(|pair| pair.split_once('=')) {
            command.env(name, value);
        }
    }
}

#[test]
fn what_it_prints_is_all_that_a_client_needs_to_trust_it() {
    let folder = Folder::new("temporary");
    let mut command = bare(&["serve", "--tls", "--listen", "127.0.0.1:0", "--domain", "s3.test"]);
    command.env("TMPDIR", &folder.0);
    let mut serving = Serving::start(command);
    let lines = serving.lines(9);
    assert!(lines[0].starts_with("# wharf serves S3 at https://127.0.0.1:"), "{}", lines[0]);
    assert!(lines[1].starts_with("# buckets are also at https://BUCKET.s3.test:"), "{}", lines[1]);
    let bundle = lines[8].strip_prefix("export AWS_CA_BUNDLE=").unwrap();
    assert_eq!(fs::read_to_string(bundle).unwrap().matches("BEGIN").count(), 1, "the key is not in it");

    let mut command = bare(&["ls"]);
    export(&mut command, &lines);
    assert_eq!(run(command), done(""));
    let mut command = bare(&["ls"]);
    export(&mut command, &lines[..8]);
    let (exit, _, stderr) = run(command);
    assert!(exit == 255 && stderr.contains("UnknownIssuer"), "whoever was not told does not trust it: {stderr}");
    let hint = "hint: name the file of the certificate with --ca-bundle, or put it into the system's store\n";
    assert!(stderr.ends_with(hint), "{stderr}");
    for option in [&["--ca-bundle", bundle][..], &["--no-verify-ssl"]] {
        let mut command = bare(&[&["s3", "ls"], option].concat());
        export(&mut command, &lines[..8]);
        assert_eq!(run(command), done(""), "{option:?}");
    }
    let mut command = bare(&["s3", "ls", "--ca-bundle", "/nonexistent/file"]);
    export(&mut command, &lines[..8]);
    let (exit, _, stderr) = run(command);
    assert!(exit == 253 && stderr.starts_with("wharf: cannot read the CA bundle /nonexistent/file: "), "{stderr}");

    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "the certificate's file goes with it");
}

#[test]
fn a_certificate_can_be_saved_and_given() {
    let folder = Folder::new("given");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) =
        (folder.file("cert.pem", &made.cert.pem()), folder.file("key.pem", &made.signing_key.serialize_pem()));
    let saved = folder.file("saved it.pem", "");
    let given = bare(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key]);
    let save = bare(&["serve", "--listen", "127.0.0.1:0", "--tls", "--tls-save", &saved]);
    for (command, file, line) in [
        (given, &cert, format!("# if no authority known to clients vouches for it: export AWS_CA_BUNDLE={cert}")),
        (save, &saved, format!("export AWS_CA_BUNDLE='{saved}'")),
    ] {
        let mut serving = Serving::start(command);
        let lines = serving.lines(9);
        assert_eq!(lines[8], line);
        let mut command = bare(&["ls"]);
        export(&mut command, &lines[..8]);
        assert_eq!(
            run({
                command.env("AWS_CA_BUNDLE", file);
                command
            }),
            done("")
        );
        assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));
        assert!(fs::exists(file).unwrap(), "a file of the user's stays");
    }
}

#[test]
fn what_is_no_certificate_says_so() {
    let folder = Folder::new("wrong");
    let [made, other] = ["a", "b"].map(|name| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap());
    let (cert, key) =
        (folder.file("cert.pem", &made.cert.pem()), folder.file("key.pem", &made.signing_key.serialize_pem()));
    let other = folder.file("other.pem", &other.signing_key.serialize_pem());
    let none = folder.file("none.pem", "none");
    let serve = |cert: &str, key: &str| run(bare(&["serve", "--tls-cert", cert, "--tls-key", key]));
    for (cert, key, reason) in [
        (&none, &key, "the certificate is not PEM: there is no BEGIN CERTIFICATE in it"),
        (&cert, &none, "the key is not PEM: there is no whole private key in it"),
        (&cert, &cert, "the key is not PEM: there is no whole private key in it"),
        (&cert, &other, "the certificate cannot be used with its key: keys may not be consistent: KeyMismatch"),
    ] {
        assert_eq!(serve(cert, key), failed(253, format!("wharf: no TLS with {cert} and {key}: {reason}\n")));
    }
    let missing = format!("{none}.missing");
    let (exit, _, stderr) = serve(&missing, &key);
    assert!(exit == 253 && stderr.starts_with(&format!("wharf: cannot read {missing}: ")), "{stderr}");
    let unwritable = format!("{none}/cert.pem");
    let (exit, _, stderr) = run(bare(&["serve", "--tls", "--tls-save", &unwritable]));
    assert!(
        exit == 255 && stderr.starts_with(&format!("wharf: cannot write the certificate to {unwritable}: ")),
        "{stderr}"
    );
    for args in [
        &["serve", "--tls-cert", "a"][..],
        &["serve", "--tls", "--tls-cert", "a", "--tls-key", "b"],
        &["serve", "--tls-save", "a"],
        &["serve", "--tls-save", "a", "--tls-cert", "b", "--tls-key", "c"],
    ] {
        assert_eq!(run(bare(args)).0, 252, "{args:?}");
    }
}
