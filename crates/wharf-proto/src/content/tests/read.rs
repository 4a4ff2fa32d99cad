#[cfg(feature = "xml")]
use serde::de::IgnoredAny;

use super::*;
use crate::content::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    #[serde(rename = "@id")]
    id: u32,
    name: String,
    #[serde(default)]
    tag: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Nest {
    #[serde(rename = "a")]
    _a: Option<Box<Nest>>,
}

fn ada() -> User {
    User { id: 7, name: " Ada <\"&'> \r\n\t\u{1F600} ]]>".to_owned(), tag: vec!["a".to_owned(), String::new()] }
}

#[cfg(all(feature = "json", feature = "xml"))]
#[test]
fn what_was_written_is_read_back() {
    block_on(async {
        let json = written(Json(ada()), "1.json");
        let xml = written(Record(ada()), "1.xml");
        for start in ["", "\u{feff}", " \n"] {
            assert_eq!(object("x", format!("{start}{json}\n")).json::<User>().await.unwrap(), ada());
            assert_eq!(object("1.Json", format!("{start}{json}")).record::<User>().await.unwrap(), ada());
        }
        for start in ["", "\u{feff}"] {
            assert_eq!(object("x", format!("{start}{xml}\r\n<!-- end -->")).xml::<User>().await.unwrap(), ada());
            assert_eq!(object("1.XML", format!("{start}{xml}")).record::<User>().await.unwrap(), ada());
        }
        assert_eq!(object("1", &json).record_as::<User>(Format::Json).await.unwrap(), ada());
        assert_eq!(object("1.json", &xml).record_as::<User>(Format::Xml).await.unwrap(), ada());
    });
}

#[cfg(feature = "xml")]
#[test]
fn lists_of_two_kinds_may_be_mixed_in_xml() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Mixed {
        a: Vec<u8>,
        b: Vec<u8>,
    }
    let text = "<x><a>1</a><b>2</b><!-- c --><a>3</a><b>4</b></x>";
    assert_eq!(block_on(object("x", text).xml::<Mixed>()).unwrap(), Mixed { a: vec![1, 3], b: vec![2, 4] });
}

#[test]
fn text_keeps_everything() {
    block_on(async {
        assert_eq!(object("x", "\u{feff}é\r\n").text().await.unwrap(), "\u{feff}é\r\n");
        assert_eq!(object("x", "").text().await.unwrap(), "");
        let error = object("a\nb", b"abc\xff").text().await.unwrap_err();
        let line = "GetObject bucket/a\\nb: the object is not UTF-8 text: line 1, invalid from byte offset 3";
        assert_eq!(invalid_content(&error), line);
    });
}

#[cfg(feature = "json")]
#[test]
fn json_errors_say_what_and_where() {
    let too_deep = "[".repeat(100_000);
    for (content, line) in [
        (&b""[..], "the object is empty: JSON was expected"),
        (b"[1,\n\"\xc3(\"]", "the object is not the expected JSON: line 2: not UTF-8, invalid from byte offset 5"),
        (b"<html>", "the object is not the expected JSON: expected value at line 1 column 1"),
        (b"[1,\n2", "the object is not the expected JSON: EOF while parsing a list at line 2 column 1"),
        (b"[1]\n[2]", "the object is not the expected JSON: trailing characters at line 2 column 1"),
        (
            b"[1,\n \"2\"]",
            "the object is not the expected JSON: invalid type: string \"2\", expected u8 at line 2 column 4",
        ),
        (
            too_deep.as_bytes(),
            "the object is not the expected JSON: invalid type: sequence, expected u8 at line 1 column 1",
        ),
    ] {
        let error = block_on(object("1.json", content).json::<Vec<u8>>()).unwrap_err();
        assert_eq!(invalid_content(&error), format!("GetObject bucket/1.json: {line}"));
    }
    let error = block_on(object("x", "{\"a\":".repeat(100_000)).json::<Nest>()).unwrap_err();
    let line = "GetObject bucket/x: the object is not the expected JSON: recursion limit exceeded at line 1 column 636";
    assert_eq!(invalid_content(&error), line);
}

#[cfg(feature = "xml")]
#[test]
fn xml_errors_say_what_and_where() {
    let too_deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
    let billion = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<x id='1'><name>&b;</name></x>";
    let external = "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>\n<x id='1'>\n<name>&f;</name></x>";
    for (content, line) in [
        (&b""[..], "the object is empty: XML was expected"),
        (b"<x>\xff</x>", "the object is not the expected XML: line 1: not UTF-8, invalid from byte offset 3"),
        (b"{}", "the object is not the expected XML: line 1: text outside the root element"),
        (b"\n \n", "the object is not the expected XML: line 3: no root element"),
        (b"<x/>\n\n<y/>", "the object is not the expected XML: line 3: more than one root element"),
        (b"<x/>\n&amp;", "the object is not the expected XML: line 2: text outside the root element"),
        (
            b"<x id='1'>\n<name>n</name>\n",
            "the object is not the expected XML: line 3: the document ends before its root element does",
        ),
        (
            b"<x id='1'>\n<name>n</nam>\n</x>",
            "the object is not the expected XML: line 2: ill-formed document: expected `</name>`, but `</nam>` was found",
        ),
        (
            b"<x id='1'>\n<name",
            "the object is not the expected XML: line 2: syntax error: tag not closed: `>` not found before end of input",
        ),
        (b"<x id='1'>\n<tag>t</tag>\n</x>", "the object is not the expected XML: line 3: missing field `name`"),
        (
            b"<x\n id='one'>\n<name/></x>\n",
            "the object is not the expected XML: line 2: invalid type: string \"one\", expected u32",
        ),
        (too_deep.as_bytes(), "the object is not the expected XML: line 1: elements nested more than 128 deep"),
        (billion.as_bytes(), "the object is not the expected XML: line 2: at 0..1: unrecognized entity `b`"),
        (external.as_bytes(), "the object is not the expected XML: line 3: at 0..1: unrecognized entity `f`"),
    ] {
        let error = block_on(object("1.xml", content).xml::<User>()).unwrap_err();
        assert_eq!(invalid_content(&error), format!("GetObject bucket/1.xml: {line}"));
    }
    let deepest = "<a>".repeat(128) + &"</a>".repeat(128);
    block_on(object("x", &deepest).xml::<IgnoredAny>()).unwrap();
    block_on(object("x", &deepest).xml::<Nest>()).unwrap();
}

#[cfg(all(feature = "json", feature = "xml", feature = "csv"))]
#[test]
fn the_key_must_name_a_format_that_fits() {
    block_on(async {
        let neither = "the key's extension is neither .json nor .xml, and no format is given";
        for (error, line) in [
            (object("1", "{}").record::<Sale>().await.unwrap_err(), format!("1: {neither}")),
            (
                object("1.csv", "a\n1").record::<Sale>().await.unwrap_err(),
                "1.csv: CSV holds many records, this is one".to_owned(),
            ),
            (
                object("1.json", "a\n1").record_as::<Sale>(Format::Csv).await.unwrap_err(),
                "1.json: CSV holds many records, this is one".to_owned(),
            ),
            (
                object("1", "a\n1").records::<Sale>().await.unwrap_err(),
                "1: the key's extension is not .csv, and no format is given".to_owned(),
            ),
            (
                object("1.json", "[]").records::<Sale>().await.unwrap_err(),
                "1.json: records are CSV, a row each, and JSON is one document".to_owned(),
            ),
            (
                object("1.csv", "[]").records_as::<Sale>(Format::Xml).await.unwrap_err(),
                "1.csv: records are CSV, a row each, and XML is one document".to_owned(),
            ),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), format!("GetObject bucket/{line}"));
        }
    });
}

#[test]
fn the_limit_holds_for_what_goes_into_memory() {
    block_on(async {
        assert_eq!(object("x", "12345").limit(5).text().await.unwrap(), "12345");
        // One that declares too much is not read at all.
        let mut declared = object_of("x", [Err(Error::new(ErrorKind::Transport, "reset"))]);
        declared.head.content_length = 5;
        for (object, line) in [
            (object("x", "12345"), "GetObject bucket/x: the object has more bytes than the limit of 4"),
            (declared, "GetObject bucket/x: the object has 5 bytes, more than the limit of 4"),
        ] {
            let error = object.limit(4).bytes().await.unwrap_err();
            assert_eq!(invalid_content(&error), line);
            assert_eq!(error.hint(), Some("raise .limit(), or read it with .stream()"));
        }
        #[cfg(feature = "json")]
        object("x", "12345").limit(4).json::<u32>().await.unwrap_err();
        #[cfg(feature = "xml")]
        object("x", "<x/>").limit(3).xml::<IgnoredAny>().await.unwrap_err();
        #[cfg(feature = "json")]
        object("x.json", "12345").limit(4).record::<u32>().await.unwrap_err();
        #[cfg(feature = "csv")]
        {
            let open = async || object("x", "a\n1\n").limit(3).csv::<(u8,)>().await.unwrap();
            assert_eq!(open().await.next().await.unwrap().unwrap(), (1,), "one at a time");
            let error = open().await.collect().await.unwrap_err();
            assert_eq!(invalid_content(&error), "GetObject bucket/x: the object has more bytes than the limit of 3");
            assert_eq!(object("x", "a\n1\n").limit(4).csv::<(u8,)>().await.unwrap().collect().await.unwrap(), [(1,)]);
        }
    });
}

#[cfg(feature = "json")]
#[test]
fn compressed_content_gets_a_hint() {
    let mut object = object("1.json", b"\x1f\x8b");
    object.head.content_encoding = Some("gzip".to_owned());
    let error = block_on(object.json::<u32>()).unwrap_err();
    assert_eq!(error.hint(), Some("its content encoding is gzip: read .bytes() or .stream() and decode it"));
}

#[test]
fn a_body_that_breaks_off_is_that_error() {
    let broken = || object_of("x", [Ok(Bytes::from_static(b"{")), Err(Error::new(ErrorKind::Transport, "reset"))]);
    assert_eq!(block_on(broken().text()).unwrap_err().kind(), ErrorKind::Transport);
    #[cfg(feature = "json")]
    assert_eq!(block_on(broken().json::<u8>()).unwrap_err().kind(), ErrorKind::Transport);
}

#[cfg(all(feature = "json", feature = "xml", feature = "csv"))]
#[test]
fn a_call_reads_in_one() {
    block_on(async {
        assert_eq!(get("x", "text").text().await.unwrap(), "text");
        assert_eq!(get("x", "text").bytes().await.unwrap(), "text");
        assert_eq!(get("x", "[1]").json::<[u8; 1]>().await.unwrap(), [1]);
        assert_eq!(get("x", "<a id='1'><name>n</name></a>").xml::<User>().await.unwrap().name, "n");
        assert_eq!(get("x.json", "1").record::<u8>().await.unwrap(), 1);
        assert_eq!(get("x", "1").record_as::<u8>(Format::Json).await.unwrap(), 1);
        for mut records in [
            get("x", "a\n1").csv::<(u8,)>().await.unwrap(),
            get("x.csv", "a\n1").records().await.unwrap(),
            get("x", "a\n1").records_as(Format::Csv).await.unwrap(),
        ] {
            assert_eq!(records.next().await.unwrap().unwrap(), (1,));
            assert!(records.next().await.is_none());
        }
        let mut stream = get("x", "text").stream().await.unwrap();
        let chunk = std::future::poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
        assert_eq!(chunk.unwrap().unwrap(), "text");
        let error = get("x", "text").limit(3).text().await.unwrap_err();
        assert_eq!(invalid_content(&error), "GetObject bucket/x: the object has 4 bytes, more than the limit of 3");
    });
}

#[cfg(all(feature = "json", feature = "csv"))]
#[test]
fn reading_can_be_spawned() {
    fn spawnable<F: Future + Send + 'static>(_: F) {}
    spawnable(get("x", "1").json::<u8>());
    spawnable(async { get("x", "1").csv::<Sale>().await?.collect().await });
    spawnable(get("x", "1").record::<u8>());
}
