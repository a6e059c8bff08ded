//! What nobody gave a meaning is kept, and merged by these rules.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::json::{MAX_DEPTH, Tape};
use ferroscope_core::tree::{Merge, Object};

/// Merges the members of these objects into one, and writes it.
fn merged(merge: Merge, objects: &[&str]) -> String {
    let mut object = Object::default();
    for text in objects {
        let mut tape = Tape::default();
        let root = tape.read(text, MAX_DEPTH).unwrap_or_else(|found| panic!("{text}: {found:?}"));
        for (key, value) in root.members() {
            object.merge(&key.name(), value, merge);
        }
    }
    let mut out = String::new();
    object.write(&mut out);
    out
}

#[test]
fn the_latest_value_counts() {
    let table: &[(&str, &[&str], &str)] = &[
        ("nothing", &[], "{}"),
        ("empty objects", &["{}", "{}"], "{}"),
        (
            "a value stays as it is written",
            &[r#"{"a":1.50e+3,"b":"é\u00e9","c":[1, 2]}"#],
            r#"{"a":1.50e+3,"b":"é\u00e9","c":[1, 2]}"#,
        ),
        ("the latest counts, where the first stood", &[r#"{"a":1,"b":2}"#, r#"{"a":3}"#], r#"{"a":3,"b":2}"#),
        ("null changes nothing", &[r#"{"a":1}"#, r#"{"a":null}"#], r#"{"a":1}"#),
        ("but null is a value of its own", &[r#"{"a":null}"#], r#"{"a":null}"#),
        ("a value after null", &[r#"{"a":null}"#, r#"{"a":0}"#], r#"{"a":0}"#),
        (
            "objects are merged",
            &[r#"{"a":{"b":1,"c":{"d":2}}}"#, r#"{"a":{"c":{"e":3},"b":null}}"#],
            r#"{"a":{"b":1,"c":{"d":2,"e":3}}}"#,
        ),
        ("strings do not join", &[r#"{"a":"x"}"#, r#"{"a":"y"}"#], r#"{"a":"y"}"#),
        ("lists do not join", &[r#"{"a":[1]}"#, r#"{"a":[2]}"#], r#"{"a":[2]}"#),
        ("an object after a number", &[r#"{"a":1}"#, r#"{"a":{"b":1}}"#], r#"{"a":{"b":1}}"#),
        ("a number after an object", &[r#"{"a":{"b":1}}"#, r#"{"a":1}"#], r#"{"a":1}"#),
        ("names are written anew", &[r#"{"\u0061\n":1}"#, r#"{"a\n":2}"#], r#"{"a\n":2}"#),
        ("an empty name", &[r#"{"":{"":1}}"#], r#"{"":{"":1}}"#),
    ];
    for &(story, objects, expected) in table {
        assert_eq!(merged(Merge::Latest, objects), expected, "{story}");
    }
}

#[test]
fn lists_grow_by_the_index_of_their_elements() {
    let table: &[(&str, &[&str], &str)] = &[
        (
            "elements without an index are new",
            &[r#"{"a":[{"x":1}]}"#, r#"{"a":[{"x":2}]}"#],
            r#"{"a":[{"x":1},{"x":2}]}"#,
        ),
        (
            "elements that are no objects are new",
            &[r#"{"a":[1]}"#, r#"{"a":[1,"x",[2],null]}"#],
            r#"{"a":[1,1,"x",[2],null]}"#,
        ),
        (
            "an index continues its element",
            &[r#"{"a":[{"index":0,"x":1}]}"#, r#"{"a":[{"index":0,"y":2}]}"#],
            r#"{"a":[{"index":0,"x":1,"y":2}]}"#,
        ),
        (
            "another index begins one",
            &[r#"{"a":[{"index":1,"x":1}]}"#, r#"{"a":[{"index":0,"x":2},{"index":1,"x":3}]}"#],
            r#"{"a":[{"index":1,"x":3},{"index":0,"x":2}]}"#,
        ),
        (
            "so does another type",
            &[r#"{"a":[{"index":0,"type":"p","text":"x"}]}"#, r#"{"a":[{"index":0,"type":"q","text":"y"}]}"#],
            r#"{"a":[{"index":0,"type":"p","text":"x"},{"index":0,"type":"q","text":"y"}]}"#,
        ),
        (
            "an index that is a word",
            &[r#"{"a":[{"index":"0"}]}"#, r#"{"a":[{"index":"0"}]}"#],
            r#"{"a":[{"index":"0"},{"index":"0"}]}"#,
        ),
        (
            "some strings inside join",
            &[
                r#"{"a":[{"index":0,"text":"a\ud83d","summary":"s","data":"d","signature":"1"}]}"#,
                r#"{"a":[{"index":0,"text":"\ude00b","summary":"t","data":"e","signature":"2"}]}"#,
            ],
            r#"{"a":[{"index":0,"text":"a😀b","summary":"st","data":"de","signature":"2"}]}"#,
        ),
        (
            "lists in lists grow",
            &[
                r#"{"a":[{"index":0,"b":[{"index":0,"text":"x"}]}]}"#,
                r#"{"a":[{"index":0,"b":[{"index":0,"text":"y"}]}]}"#,
            ],
            r#"{"a":[{"index":0,"b":[{"index":0,"text":"xy"}]}]}"#,
        ),
        ("lists in objects grow", &[r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[2]}}"#], r#"{"a":{"b":[1,2]}}"#),
        ("null is no list", &[r#"{"a":[1]}"#, r#"{"a":null}"#, r#"{"a":[2]}"#], r#"{"a":[1,2]}"#),
        ("a list after a word", &[r#"{"a":"x"}"#, r#"{"a":[2]}"#], r#"{"a":[2]}"#),
        ("a word after a list", &[r#"{"a":[2]}"#, r#"{"a":"x"}"#], r#"{"a":"x"}"#),
    ];
    for &(story, objects, expected) in table {
        assert_eq!(merged(Merge::Grow, objects), expected, "{story}");
    }
}

#[test]
fn what_was_found_stays_found() {
    let table: &[(&str, &[&str], &str)] = &[
        (
            "yes stays yes",
            &[r#"{"a":{"filtered":true}}"#, r#"{"a":{"filtered":false}}"#],
            r#"{"a":{"filtered":true}}"#,
        ),
        ("no becomes yes", &[r#"{"a":false}"#, r#"{"a":true}"#], r#"{"a":true}"#),
        (
            "the worst counts",
            &[r#"{"a":"low"}"#, r#"{"a":"high"}"#, r#"{"a":"medium"}"#, r#"{"a":"safe"}"#],
            r#"{"a":"high"}"#,
        ),
        (
            "a word of another kind is replaced",
            &[r#"{"a":"x"}"#, r#"{"a":"safe"}"#, r#"{"a":"y"}"#],
            r#"{"a":"y"}"#,
        ),
        ("null changes nothing", &[r#"{"a":"low"}"#, r#"{"a":null}"#], r#"{"a":"low"}"#),
        (
            "what is new joins, once",
            &[r#"{"a":[1,{"x":1}]}"#, r#"{"a":[2,{"x":1},1]}"#],
            r#"{"a":[1,{"x":1},2]}"#,
        ),
        (
            "elements of one name are one",
            &[
                r#"{"a":[{"id":"x","filtered":true}]}"#,
                r#"{"a":[{"id":"y","filtered":false},{"filtered":false,"id":"x"}]}"#,
            ],
            r#"{"a":[{"id":"x","filtered":true},{"id":"y","filtered":false}]}"#,
        ),
        (
            "and of one prompt",
            &[
                r#"{"a":[{"prompt_index":0,"b":{"hate":"safe"}}]}"#,
                r#"{"a":[{"prompt_index":1,"b":{"hate":"low"}},{"prompt_index":0,"b":{"sexual":"low"}}]}"#,
            ],
            r#"{"a":[{"prompt_index":0,"b":{"hate":"safe","sexual":"low"}},{"prompt_index":1,"b":{"hate":"low"}}]}"#,
        ),
        ("a list after a word", &[r#"{"a":"x"}"#, r#"{"a":[2]}"#], r#"{"a":[2]}"#),
        ("a word after a list", &[r#"{"a":[2]}"#, r#"{"a":"x"}"#], r#"{"a":"x"}"#),
    ];
    for &(story, objects, expected) in table {
        assert_eq!(merged(Merge::Found, objects), expected, "{story}");
    }
}

#[test]
fn lists_add_up() {
    let table: &[(&str, &[&str], &str)] = &[
        ("a list stays as it came", &[r#"{"a":[1, 1, {"b":[2]}]}"#], r#"{"a":[1,1,{"b":[2]}]}"#),
        ("another list follows", &[r#"{"a":[1,2]}"#, r#"{"a":[2,3]}"#], r#"{"a":[1,2,2,3]}"#),
        ("one that repeats it replaces it", &[r#"{"a":[1,2]}"#, r#"{"a":[1,2,3]}"#], r#"{"a":[1,2,3]}"#),
        (
            "inside objects too",
            &[r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[2],"c":3}}"#],
            r#"{"a":{"b":[1,2],"c":3}}"#,
        ),
        ("an empty one says nothing", &[r#"{"a":[1]}"#, r#"{"a":[]}"#], r#"{"a":[1]}"#),
        ("nor does null", &[r#"{"a":[1]}"#, r#"{"a":null}"#], r#"{"a":[1]}"#),
        ("of other values the latest counts", &[r#"{"a":"b"}"#, r#"{"a":"c"}"#], r#"{"a":"c"}"#),
        ("a list after another value", &[r#"{"a":"b"}"#, r#"{"a":[1]}"#], r#"{"a":[1]}"#),
    ];
    for &(story, objects, expected) in table {
        assert_eq!(merged(Merge::Extend, objects), expected, "{story}");
    }
}

#[test]
fn strings_that_grow_join() {
    let table: &[(&str, &[&str], &str)] = &[
        ("pieces", &[r#""a""#, r#""b""#], r#""ab""#),
        ("a pair over two pieces", &[r#""\ud83d""#, r#""\ude00""#], r#""😀""#),
        ("null changes nothing", &["null", r#""a""#, "null", r#""b""#], r#""ab""#),
        ("anything else counts as it comes", &[r#""a""#, "1"], "1"),
        ("and a string begins anew", &["[1]", r#""a""#, r#""b""#], r#""ab""#),
        ("half a pair at the end", &[r#""a\ud83d""#], "\"a\u{FFFD}\""),
    ];
    for &(story, pieces, expected) in table {
        let mut object = Object::default();
        for piece in pieces {
            object.join("x", Tape::default().read(piece, MAX_DEPTH).unwrap());
        }
        object.finish();
        let mut out = String::new();
        object.write(&mut out);
        assert_eq!(out, format!("{{\"x\":{expected}}}"), "{story}");
    }
}

#[test]
fn an_object_of_very_many_members_is_merged_in_time() {
    let members: Vec<_> =
        (0..50_000).map(|n| format!("\"{n}\":[{{\"index\":{n},\"text\":\"x\"}}]")).collect();
    let text = format!("{{{}}}", members.join(","));
    let twice = merged(Merge::Grow, &[&text, &text]);
    assert_eq!(twice, text.replace("\"x\"", "\"xx\""));

    let elements: Vec<_> = (0..50_000).map(|n| format!("{{\"index\":{n}}}")).collect();
    let text = format!("{{\"a\":[{}]}}", elements.join(","));
    assert_eq!(merged(Merge::Grow, &[&text]), text);
}

#[test]
fn the_deepest_nesting_fits_a_small_stack() {
    let levels = MAX_DEPTH - 1;
    let objects = format!("{{\"x\":{}1{}}}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let lists = format!("{{\"x\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let indexed =
        format!("{{\"x\":{}1{}}}", "[{\"index\":0,\"a\":".repeat(levels / 2), "}]".repeat(levels / 2));
    let named = indexed.replace("index", "id");
    let doubled = format!("{{\"x\":[{0},{0}]}}", &lists["{\"x\":[".len()..lists.len() - "]}".len()]);
    let table = [
        (Merge::Latest, objects.clone(), objects.clone()),
        (Merge::Grow, objects.clone(), objects),
        (Merge::Latest, lists.clone(), lists.clone()),
        (Merge::Grow, lists, doubled),
        (Merge::Grow, indexed.clone(), indexed),
        (Merge::Found, named.clone(), named),
    ];
    for (merge, text, expected) in table {
        let small = std::thread::Builder::new().stack_size(512 << 10);
        let folder = small.spawn(move || assert_eq!(merged(merge, &[&text, &text]), expected));
        folder.unwrap().join().unwrap();
    }
}
