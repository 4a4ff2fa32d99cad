use std::collections::BTreeMap;

use super::*;
use crate::content::*;

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

#[cfg(all(feature = "json", feature = "xml", feature = "csv"))]
#[test]
fn each_kind_has_its_content_type_and_form() {
    let tea = sale("tea", 3, Some(1.5));
    let list = [tea.clone(), sale("a \"b\",\nc", 0, None)];
    let stream = |list: Vec<Sale>| CsvStream(Ready(list.into_iter().map(Ok::<_, Error>)));
    let csv = "product,units,price\ntea,3,1.5\n\"a \"\"b\"\",\nc\",0,\n";
    let json = r#"{"product":"tea","units":3,"price":1.5}"#;
    let fields = "<product>tea</product><units>3</units><price>1.5</price>";
    let (named, by_key) = (format!("{XML}<Sale>{fields}</Sale>"), format!("{XML}<_1>{fields}</_1>"));
    for (result, content_type, content) in [
        (sent(Json(&tea), "x"), "application/json", json),
        (sent(Xml(&tea), "sales/1.csv"), "application/xml", named.as_str()),
        (sent(Csv(&list), "x"), "text/csv; charset=utf-8", csv),
        (sent(Csv(list.clone()), "x"), "text/csv; charset=utf-8", csv),
        (sent(stream(list.to_vec()), "x"), "text/csv; charset=utf-8", csv),
        (sent(Record(&tea), "sales/1.JSON"), "application/json", json),
        (sent(Record(&tea), "sales/1.Xml"), "application/xml", by_key.as_str()),
        (sent(Record(&tea).format(Format::Xml), "sales/1.json"), "application/xml", by_key.as_str()),
        (sent(Record(&tea).format(Format::Json), "sales/1"), "application/json", json),
        (sent(Records(&list), "sales.CSV"), "text/csv; charset=utf-8", csv),
        (sent(Records(&list).format(Format::Csv), "sales"), "text/csv; charset=utf-8", csv),
        (sent(Csv(Vec::<Sale>::new()), "x"), "text/csv; charset=utf-8", ""),
        (sent(stream(Vec::new()), "x"), "text/csv; charset=utf-8", ""),
    ] {
        assert_eq!(result, Ok((content_type.to_owned(), content.as_bytes().to_vec())));
    }
}

#[test]
fn the_key_must_name_a_format_that_fits() {
    let tea = sale("tea", 3, None);
    let list = [tea.clone()];
    let no_format = "the key's extension is neither .json nor .xml, and no format is given";
    for (result, line) in [
        (sent(Record(&tea), "sales/1"), no_format),
        (sent(Record(&tea), "sales.json/1.txt"), no_format),
        (sent(Record(&tea), "sales.csv"), "CSV holds many records, this is one"),
        (sent(Record(&tea).format(Format::Csv), "1.json"), "CSV holds many records, this is one"),
        (sent(Records(&list), "sales"), "the key's extension is not .csv, and no format is given"),
        (sent(Records(&list), "sales.json"), "records are CSV, a row each, and JSON is one document"),
        (sent(Records(&list), "sales.xml"), "records are CSV, a row each, and XML is one document"),
        (sent(Records(&list).format(Format::Json), "a.csv"), "records are CSV, a row each, and JSON is one document"),
    ] {
        assert_eq!(result.unwrap_err(), line);
    }
    let error = Records(&list).into_body("sales.json").into_source().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.hint(), Some("write the list as one value, Json(list); read .json::<Vec<_>>()"));
}

#[cfg(not(all(feature = "json", feature = "xml", feature = "csv")))]
#[test]
fn a_format_whose_feature_is_off_names_the_feature() {
    let off = |format: Format| match format {
        Format::Csv => sent(Records([1]).format(format), "x"),
        _ => sent(Record(1).format(format), "x"),
    };
    for (on, format, line) in [
        (cfg!(feature = "json"), Format::Json, "JSON needs the feature `json`, which is off"),
        (cfg!(feature = "xml"), Format::Xml, "XML needs the feature `xml`, which is off"),
        (cfg!(feature = "csv"), Format::Csv, "CSV needs the feature `csv`, which is off"),
    ] {
        match off(format) {
            Err(error) => assert!(!on && error == line, "{error}"),
            Ok(_) => assert!(on, "{format}"),
        }
    }
}

#[cfg(all(feature = "json", feature = "xml", feature = "csv"))]
#[test]
fn what_cannot_be_written_is_one_line() {
    let by_number = BTreeMap::from([(vec![1], 1)]);
    let by_name = BTreeMap::from([("a b", 1)]);
    let control = sale("bell \u{7}", 1, None);
    let rows = [vec!["a", "b"], vec!["c"]];
    for (result, line) in [
        (sent(Json(&by_number), "x"), "the value cannot be written as JSON: key must be a string"),
        (
            sent(Xml(&by_name), "x"),
            "the value cannot be written as XML: unsupported value: cannot serialize map without defined root tag",
        ),
        (
            sent(Record(&by_name), "x.xml"),
            "the value cannot be written as XML: unsupported value: character ` ` is not allowed in an XML name `a b`",
        ),
        (sent(Record(&[1, 2]), "x.xml"), "the value cannot be written as XML: more than one root element"),
        (sent(Record(&None::<Sale>), "x.xml"), "the value cannot be written as XML: no root element"),
        (sent(Xml(&control), "x"), "the value cannot be written as XML: XML cannot hold the character U+0007"),
        (sent(Csv(&rows), "x"), "the value cannot be written as CSV: record 2 has 1 fields, the rows before it have 2"),
        (
            sent(Csv([BTreeMap::from([("a", 1)])]), "x"),
            "the value cannot be written as CSV: record 1: serializing maps is not supported",
        ),
        (
            sent(CsvStream(Ready(rows.clone().into_iter().map(Ok::<_, Error>))), "x"),
            "the value cannot be written as CSV: record 2 has 1 fields, the rows before it have 2",
        ),
        (sent(CsvStream(Ready([Ok(1), Err("the disk is gone")].into_iter())), "x"), "the disk is gone"),
    ] {
        assert_eq!(result.unwrap_err(), line);
    }
}

#[cfg(feature = "xml")]
#[test]
fn what_is_not_one_xml_element_gets_a_hint() {
    let error = |body: Body| body.into_source().unwrap_err();
    let map = BTreeMap::from([("a b", 1)]);
    for (error, hinted) in [
        (error(Xml(&map).into_body("x")), true),
        (error(Xml([1, 2]).into_body("x")), true),
        (error(Record([1, 2]).into_body("x.xml")), true),
        (error(Record(&map).into_body("x.xml")), false),
    ] {
        assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::InvalidInput, hinted), "{error}");
    }
}

#[cfg(feature = "csv")]
#[test]
fn what_is_nested_in_a_record_of_csv_gets_a_hint() {
    let hint = |body: Body| body.into_source().unwrap_err().hint().map(str::to_owned);
    let nested = hint(Csv([(1, BTreeMap::from([("a", 1)]))]).into_body("x"));
    assert!(nested.is_some_and(|hint| hint.contains("struct of plain values")));
    assert_eq!(hint(Csv([vec!["a", "b"], vec!["c"]]).into_body("x")), None);
}

#[cfg(feature = "csv")]
#[test]
fn a_stream_of_records_goes_out_in_chunks_with_one_header() {
    let rows = (0..50_000).map(|units| Ok::<_, Error>(sale("some product", units, None)));
    let Source::Stream { length: None, mut stream } = CsvStream(Ready(rows)).into_body("x").into_source().unwrap()
    else {
        panic!("not a stream");
    };
    let (mut sizes, mut text) = (Vec::new(), Vec::new());
    while let Some(chunk) = block_on(std::future::poll_fn(|cx| stream.as_mut().poll_next(cx))) {
        let chunk = chunk.unwrap();
        sizes.push(chunk.len());
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 50_001);
    assert_eq!(text.matches("product,units,price").count(), 1);
    let (last, full) = sizes.split_last().unwrap();
    assert!(full.len() > 5 && full.iter().all(|size| (64 << 10..96 << 10).contains(size)), "{sizes:?}");
    assert!((1..96 << 10).contains(last), "{sizes:?}");
}

#[cfg(feature = "csv")]
#[test]
fn nothing_follows_an_error_in_a_stream_of_records() {
    let rows = [Ok(1), Err("the disk is gone"), Ok(2)];
    let Source::Stream { mut stream, .. } = CsvStream(Ready(rows.into_iter())).into_body("x").into_source().unwrap()
    else {
        panic!("not a stream");
    };
    let mut next = || block_on(std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)));
    assert_eq!(next().unwrap().unwrap_err().to_string(), "the disk is gone");
    assert!(next().is_none());
}
