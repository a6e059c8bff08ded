//! Other people's documents: the partial-JSON cases of eight libraries, jiter's value for every prefix, JSONTestSuite.
//!
//! The files live beside the repository, in `../shared/cases`; without them these tests pass without a word, and
//! the rules are held by `partial_json.rs` alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use ferroscope_core::partial_json::{Document, Literals, Numbers, Root, Rules};
use serde_json::{Map, Value, json};

fn cases(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases").join(name);
    path.exists().then_some(path)
}

fn rows(name: &str) -> Vec<Map<String, Value>> {
    let Some(path) = cases(name) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.chars().filter_map(|c| ALPHABET.find(c)) {
        bits = (bits << 6) | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// Our value in the notation of the files: infinities as `{"$float": "inf"}`, numbers as Python would print them.
fn shown(document: &Document) -> Option<Value> {
    let text = document.to_json()?.replace("1e400", r#"{"$float":"inf"}"#);
    // serde_json refuses the very deep; no case expects such a value.
    Some(serde_json::from_str(&text).map_or_else(|error| json!(error.to_string()), plain))
}

/// Numbers compare as numbers: `12` and `12.0` are the same value.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64().unwrap()),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members.into_iter().map(|(k, v)| (k, plain(v))).collect(),
        other => other,
    }
}

/// The rules that a mode of the case file asks for; `None` if it asks for something that we do not offer.
fn rules(mode: &str, allow: Option<&Value>) -> Option<Rules> {
    let fix = Rules::FIX_JSON;
    Some(match mode {
        "jiter:trailing-strings" => Rules::JITER_TRAILING_STRINGS,
        "jiter:on" | "anthropic-ts:no-partial-strings" => Rules::JITER_ON,
        "jiter:off" => Rules::STRICT,
        "vercel-fix-json" | "partialjson:strict" | "langchain:partial" => fix,
        "openai-node:no-partial-numbers" => Rules { numbers: Numbers::Complete, ..fix },
        "langchain:markdown" => Rules { root: Root::Object, ..fix },
        "promplate" | "promplate-js" => {
            match allow?.as_array()?.iter().map(|flag| flag.as_str().unwrap()).collect::<Vec<_>>()[..] {
                ["ALL"] => fix,
                ["~NUM"] => Rules { numbers: Numbers::Complete, ..fix },
                ["NUM" | "STR" | "NULL" | "BOOL"] => fix,
                ["~NULL" | "~BOOL"] => Rules { literals: Literals::Complete, ..fix },
                ["ARR", "STR"] | ["OBJ", "STR"] => fix,
                ["ARR" | "OBJ"] | ["~STR"] => {
                    Rules { strings: ferroscope_core::partial_json::Strings::Complete, ..fix }
                }
                // Hiding unfinished containers, and infinities.
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// Where we differ from a library in its own mode, and why.
const DIFFERENCES: &[(&str, &str)] =
    &[("anthropic-ts~29", "`truee`: ours shows true, then reports the second e")];

#[test]
fn cases_of_other_libraries_give_the_values_that_they_expect() {
    let (mut compared, mut differ) = (0, Vec::new());
    let hides_containers = |row: &Map<String, Value>| {
        row.get("allow") == Some(&json!(["STR"])) && row["input"].as_str().unwrap().starts_with(['[', '{'])
    };
    for row in rows("partial_json_cases.jsonl") {
        let (name, mode) = (row["name"].as_str().unwrap(), row["mode"].as_str().unwrap());
        let Some(rules) = rules(mode, row.get("allow")).filter(|_| !hides_containers(&row)) else {
            continue;
        };
        let input = match row.get("input") {
            Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
            None => base64(row["input_b64"].as_str().unwrap()),
        };
        for size in [1, 4, usize::MAX] {
            let mut document = Document::new(rules);
            let mut read = Ok(());
            for piece in input.chunks(size.min(input.len().max(1))) {
                read = read.and_then(|()| document.feed(piece));
            }
            let ended = read.is_ok().then(|| document.clone().finish());
            // There a text is always at its end, so a number that is the whole text is complete.
            let value = shown(&document).or_else(|| {
                let mut whole = document.clone();
                whole.finish().ok().and_then(|()| shown(&whole))
            });
            let right = if row.get("error").is_some() {
                // `Malformed` and `nothing there yet` are one in these libraries; a strict reader also wants the end.
                read.is_err() || value.is_none() || (mode == "jiter:off" && ended.unwrap().is_err())
                    || (rules.root == Root::Value && input.iter().filter(|b| !b" \n\t".contains(b)).count() == 0)
                    // Only these two look at what follows the document.
                    || (mode == "promplate" && document.parser().is_complete())
            } else if row.get("no_value").is_some() {
                read.is_ok() && value.is_none()
            } else if let Some(expected) = row.get("expected") {
                value == Some(plain(expected.clone()))
            } else {
                continue;
            };
            compared += 1;
            if !right && !differ.contains(&name.to_owned()) {
                differ.push(name.to_owned());
            }
        }
    }
    if compared > 0 {
        let known: Vec<_> = DIFFERENCES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(differ, known, "of {compared}");
        assert!(compared > 700, "only {compared}");
    }
}

#[test]
fn every_prefix_of_every_document_shows_what_jiter_shows() {
    let mut compared = 0;
    for row in rows("partial_json_prefixes.jsonl") {
        let bytes = match row.get("document_b64") {
            Some(text) => base64(text.as_str().unwrap()),
            None => row["document"].as_str().unwrap().as_bytes().to_vec(),
        };
        for (mode, steps) in row["steps"].as_object().unwrap() {
            let mut document = Document::new(rules(mode, None).unwrap());
            let mut steps = steps.as_array().unwrap().iter().peekable();
            let mut expected = Value::Null;
            for end in 0..=bytes.len() {
                if end > 0 {
                    document.feed(&bytes[end - 1..end]).unwrap();
                }
                if let Some(step) = steps.next_if(|step| step[0].as_u64().unwrap() as usize == end) {
                    expected = plain(step[1].clone());
                }
                // jiter calls "nothing to show yet" an error.
                let value = shown(&document).unwrap_or_else(|| json!({"$error": true}));
                assert_eq!(value, expected, "{} {mode} {end}", row["name"]);
                compared += 1;
            }
        }
    }
    assert!(compared == 0 || compared > 10_000, "only {compared}");
}

#[test]
fn the_json_test_suite_is_accepted_and_rejected_as_it_says() {
    let Some(folder) = cases("json/test_parsing") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 300);
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let mut verdicts = Vec::new();
        for size in [1, 7, bytes.len().max(1)] {
            let mut document = Document::new(Rules { max_depth: 1_000, ..Rules::STRICT });
            let mut read = Ok(());
            for piece in bytes.chunks(size) {
                read = read.and_then(|()| document.feed(piece));
            }
            verdicts.push(read.and_then(|()| document.finish()));
        }
        assert!(verdicts.iter().all(|v| *v == verdicts[0]), "{name}: {verdicts:?}");
        match name.as_bytes()[0] {
            b'y' => assert_eq!(verdicts[0], Ok(()), "{name}"),
            b'n' => assert!(verdicts[0].is_err(), "{name}"),
            // Implementation-defined: we replace lone surrogates, read any number, want UTF-8 without a mark.
            _ => {
                let refused = [
                    "UTF-16",
                    "utf16",
                    "BOM",
                    "i_string_UTF-8_invalid",
                    "i_string_UTF8_surrogate",
                    "invalid_utf-8",
                    "iso_latin",
                    "lone_utf8",
                    "not_in_unicode",
                    "overlong",
                    "truncated-utf-8",
                ];
                assert_eq!(
                    verdicts[0].is_err(),
                    refused.iter().any(|part| name.contains(part)),
                    "{name}: {:?}",
                    verdicts[0]
                );
            }
        }
    }
}
