use super::*;

fn errors(object: Object<Chunks>) -> Vec<Result<Sale, String>> {
    block_on(async {
        let mut records = match object.csv::<Sale>().await {
            Ok(records) => records,
            Err(error) => return vec![Err(invalid_content(&error))],
        };
        let mut all = Vec::new();
        while let Some(record) = records.next().await {
            all.push(record.map_err(|error| invalid_content(&error)));
        }
        all
    })
}

#[test]
fn each_says_which_record_line_and_field() {
    let start = "product,units,price\n";
    for (content, line) in [
        ("\u{feff}".to_owned(), "the object has no line but blank ones: CSV with a header row was expected"),
        ("\r\n\n".to_owned(), "the object has no line but blank ones: CSV with a header row was expected"),
        ("a,\"b".to_owned(), "the object is not the expected CSV: the header (line 1): a quote is never closed"),
        (
            format!("{start}tea,x,1\n"),
            "the object is not the expected CSV: record 1 (line 2), field \"units\": invalid digit found in string",
        ),
        (
            format!("\n{start}\r\n\"a\nb\",x,1"),
            "the object is not the expected CSV: record 1 (line 4), field \"units\": invalid digit found in string",
        ),
        (
            format!("{start}tea,1,x\r\n"),
            "the object is not the expected CSV: record 1 (line 2), field \"price\": invalid float literal",
        ),
        (
            format!("{start}tea,1"),
            "the object is not the expected CSV: record 1 (line 2) has 2 fields, the header has 3",
        ),
        (
            format!("{start}tea,1,2,\"\n\"\n"),
            "the object is not the expected CSV: record 1 (line 2) has 4 fields, the header has 3",
        ),
        (
            format!("{start}\n\"tea\n\n,1,2\n"),
            "the object is not the expected CSV: record 1 (line 3): a quote is never closed",
        ),
        (
            "units,price\n1,2\n".to_owned(),
            "the object is not the expected CSV: record 1 (line 2): missing field `product`",
        ),
    ] {
        assert_eq!(errors(object("x", content)), [Err(format!("GetObject bucket/x: {line}"))]);
    }
}

#[test]
fn another_separator_gets_a_hint() {
    let hint = |content: &'static str| {
        block_on(async {
            let mut records = object("x", content).csv::<Sale>().await.unwrap();
            let error = records.next().await.unwrap().unwrap_err();
            error.hint().map(str::to_owned)
        })
    };
    for (content, name) in [
        ("product;units;price\ntea;1;2\n", "semicolons"),
        ("product;units;price\ntea;1;2,5\n", "semicolons"),
        ("product\tunits\tprice\ntea\t1\t2\n", "tabs"),
        ("product|units\ntea|1\n", "'|'"),
    ] {
        let seems = format!("its header seems to be separated by {name}, ");
        assert!(hint(content).is_some_and(|hint| hint.starts_with(&seems)), "{content}");
    }
    for content in ["product\ntea;1\n", "product;a,units\ntea,1\n"] {
        assert_eq!(hint(content), None, "{content}");
    }
}

/// On one line it has the form of a header without rows: read as CSV it would be no records, and no error.
#[test]
fn another_format_is_no_header_without_rows() {
    let line = |format: &str| {
        Err(format!(
            "GetObject bucket/x: the object is not the expected CSV: it begins as {format} does, and has no rows"
        ))
    };
    for json in
        ["[{\"product\":\"tea\",\"units\":1}]", "{\"product\":\"tea\"}\n", "[]", "{}\r\n", "\u{feff}[ {\"a\": 1} ]"]
    {
        assert_eq!(errors(object("x", json)), [line("JSON")], "{json}");
    }
    for xml in ["<?xml version=\"1.0\"?><sales/>", "<html><body>Sign in</body></html>\n"] {
        assert_eq!(errors(object("x", xml)), [line("XML or HTML")], "{xml}");
    }
    for header in ["product,units,price\n", "[product],[units]", "{product},units\n", "<b>,<i>\n"] {
        assert_eq!(errors(object("x", header)), [], "{header}");
    }
}

#[test]
fn invalid_utf8_says_where() {
    for (content, line) in [
        (&b"a,b\xff\n1,2\n"[..], "the header (line 1), field 2: not UTF-8, invalid from its byte 1"),
        (
            b"product,units,price\n\"t\n\xc3\",1,\n",
            "record 1 (line 2), field \"product\": not UTF-8, invalid from its byte 2",
        ),
        // The two halves of a character, in two fields.
        (b"a,b,c\n1,\xc3,\xa9\n", "record 1 (line 2), field \"b\": not UTF-8, invalid from its byte 0"),
        // UTF-16.
        (b"\xff\xfea\0\n\0", "the header (line 1), field 1: not UTF-8, invalid from its byte 0"),
        (b"\xef\xbb", "the header (line 1), field 1: not UTF-8, invalid from its byte 0"),
    ] {
        let line = format!("GetObject bucket/x: the object is not the expected CSV: {line}");
        assert_eq!(errors(object("x", content)), [Err(line)]);
    }
}

#[test]
fn rows_after_a_bad_one_can_be_read() {
    let found = errors(object("x", b"product,units,price\nbad,\ntea,1,\nx,y,z\n\xff,1,1\nmilk,2,0.5\n"));
    let lines: Vec<_> = found
        .iter()
        .map(|record| record.as_ref().map_or_else(|error| &error["GetObject bucket/x: ".len()..], |r| &r.product))
        .collect();
    assert_eq!(
        lines,
        [
            "the object is not the expected CSV: record 1 (line 2) has 2 fields, the header has 3",
            "tea",
            "the object is not the expected CSV: record 3 (line 4), field \"units\": invalid digit found in string",
            "the object is not the expected CSV: record 4 (line 5), field \"product\": not UTF-8, invalid from its byte 0",
            "milk",
        ]
    );
}

#[test]
fn a_row_has_a_greatest_size() {
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let rows = |chunks: usize, end: &'static [u8]| {
        let start = [Ok(Bytes::from_static(b"product,units,price\n\""))];
        let chunks = std::iter::repeat_n(chunk.clone(), chunks).map(Ok);
        object_of("x", start.into_iter().chain(chunks).chain([Ok(Bytes::from_static(end))]))
    };
    assert_eq!(errors(rows(15, b"\",1,")).pop().unwrap().unwrap().product.len(), 15 << 20);
    let line = "GetObject bucket/x: the object is not the expected CSV: record 1 (line 2): longer than 16 MiB; \
                is a quote never closed?";
    assert_eq!(errors(rows(17, b"\",1,")), [Err(line.to_owned())]);

    let commas = Bytes::from(vec![b','; 1 << 20]);
    let line = "GetObject bucket/x: the object is not the expected CSV: the header (line 1): more than 1048576 fields";
    assert_eq!(errors(object_of("x", [Ok(commas.clone()), Ok(commas)])), [Err(line.to_owned())]);
}
