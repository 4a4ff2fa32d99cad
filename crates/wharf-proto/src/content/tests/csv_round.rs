use super::*;
use crate::content::*;

const ROWS: &str = "\u{feff}product,units,price\r\n\r\n\"a \"\"b\"\",\r\nc\",1,0.5\r\nt\u{e9}a\u{1F600},2,\n\n\"\",3,1\r\n\u{feb0},4,2";

fn records() -> Vec<Sale> {
    vec![
        sale("a \"b\",\r\nc", 1, Some(0.5)),
        sale("t\u{e9}a\u{1F600}", 2, None),
        sale("", 3, Some(1.0)),
        sale("\u{feb0}", 4, Some(2.0)),
    ]
}

fn collect(object: Object<Chunks>) -> Result<Vec<Sale>, Error> {
    block_on(async { object.csv::<Sale>().await?.collect().await })
}

#[test]
fn no_records_come_back_as_none() {
    for chunks in [vec![], vec![Bytes::new()]] {
        assert_eq!(collect(object_of("x", chunks.into_iter().map(Ok))).unwrap(), []);
    }
}

#[test]
fn chunks_may_end_at_every_byte() {
    let bytes = Bytes::from_static(ROWS.as_bytes());
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let chunks = [bytes.slice(..first), bytes.slice(first..second), bytes.slice(second..)];
            assert_eq!(collect(object_of("x", chunks.map(Ok))).unwrap(), records(), "{first} {second}");
        }
    }
    let single = (0..bytes.len()).map(|at| Ok(bytes.slice(at..=at)));
    assert_eq!(collect(object_of("x", single)).unwrap(), records());
}

#[test]
fn a_first_field_may_begin_like_a_byte_order_mark() {
    for header in ["\u{feb0}", "\u{feb0}x", "\u{fec0}", "x"] {
        let text = format!("{header}\n1\n");
        let chunks = text.bytes().map(|byte| Ok(Bytes::copy_from_slice(&[byte])));
        let rows = block_on(async {
            let records = object_of("x", chunks).csv::<std::collections::BTreeMap<String, u8>>().await?;
            records.collect().await
        });
        assert_eq!(rows.unwrap(), [std::collections::BTreeMap::from([(header.to_owned(), 1)])]);
    }
}

#[test]
fn what_was_written_is_read_back() {
    let records = records();
    let stream = CsvStream(Ready(records.clone().into_iter().map(Ok::<_, Error>)));
    for text in [written(Csv(&records), "x"), written(Records(&records), "x.csv"), written(stream, "x")] {
        assert_eq!(collect(object("x", text)).unwrap(), records);
    }
    // A row of one empty field is not a blank line.
    let rows = block_on(async {
        object("x", written(Csv([("head",), ("",), ("x",)]), "x")).csv::<(String,)>().await?.collect().await
    });
    assert_eq!(rows.unwrap(), [(String::new(),), ("x".to_owned(),)]);
}

#[test]
fn records_go_from_one_object_into_another() {
    let text = written(Csv(&records()), "x");
    let source = block_on(object("x", &text).csv::<Sale>()).unwrap();
    assert_eq!(written(CsvStream(source), "y"), text);
}

#[test]
fn a_header_alone_is_no_records() {
    for text in ["product,units,price", "product,units,price\r\n", "\u{feff}product,units,price\n\n"] {
        assert_eq!(collect(object("x", text)).unwrap(), []);
    }
}

#[test]
fn records_are_read_before_the_body_ends() {
    let never = || Error::new(ErrorKind::Transport, "reset");
    let chunks = [Ok(Bytes::from_static(b"product,units,price\ntea,1,\nmilk,2")), Err(never())];
    let mut records = block_on(object_of("x", chunks).csv::<Sale>()).unwrap();
    assert_eq!(block_on(records.next()).unwrap().unwrap(), sale("tea", 1, None));
    assert_eq!(block_on(records.next()).unwrap().unwrap_err().to_string(), "reset");
    assert!(block_on(records.next()).is_none());

    let error = block_on(object_of("x", [Err(never())]).csv::<Sale>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[test]
fn it_shows_its_header() {
    let records = block_on(object("x", "a,b\n1,2\n").csv::<Sale>()).unwrap();
    assert_eq!(format!("{records:?}"), "CsvRecords { header: StringRecord([\"a\", \"b\"]), next: 1, .. }");
}
