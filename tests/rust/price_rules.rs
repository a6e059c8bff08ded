//! The rules of the engine on a table of their own: layers, conditions, thresholds, names, and what is refused.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::price::{Book, Call, Cost, Factor, Status, Table, decimal, instant};

const TABLE: &str = "\
!version\t2026-11-01
!source\town\tours
!source\tother\ttheirs
[acme]\t-\thttps://acme.example/prices
*\tbatch\t*=1/2\town\t2026-10-01
big\t=\tbig-latest\tbig-2026-01-15
big\t-\tinput=4,>1000:8 output=20,>1000:30 cache_read=0.4\town\t2026-10-01
big\ttier=flex\tinput=2 output=10\tother\t2026-10-01
big\tfrom=2026-06-01\tinput=3\town\t2026-10-01
big\tregion=eu\t*=11/10\town\t2026-10-01
gift\t=
gift\t-\tfree\town\t2026-10-01
listen\t=
listen\t-\taudio_seconds=0.1\town\t2026-01-01
small\t=\tsmall-2025-02-02
small\t-\tinput=1 output=2\tother\t2026-10-01
small\t-\tinput=1.5\town\t2026-10-01
small-2025-01-01\t=
small-2025-01-01\t-\tinput=9 output=9\town\t2026-10-01
[reseller]\tacme\t-
*\tbatch\t*=1/4\town\t2026-10-01
big\t=
big\tregion=!global\t*=6/5\town\t2026-10-01
";

fn call(at: &str) -> Call {
    Call { at: instant(at).expect("a time"), now: instant("2026-11-02").expect("a time"), ..Call::default() }
}

fn chat(prompt: u64, completion: u64) -> Vec<u8> {
    format!(r#"{{"prompt_tokens": {prompt}, "completion_tokens": {completion}}}"#).into_bytes()
}

fn price(book: &Book, provider: &str, model: &str, usage: &[u8], call: &Call) -> Cost {
    book.price_json(provider, model, None, Some(usage), call)
}

fn total(cost: &Cost) -> Option<String> {
    cost.total.map(|atto| decimal::format(atto, decimal::ATTO))
}

#[test]
fn the_most_specific_row_of_the_best_layer_has_the_price() {
    let book = Book::new(TABLE);
    let mut batch = call("2026-01-01");
    batch.batch = true;
    let mut flex = call("2026-01-01");
    flex.tier = Some("flex".into());
    let mut europe = call("2026-01-01");
    europe.region = Some("eu".into());
    for (what, model, call, expected) in [
        ("the standard rate", "big", call("2026-01-01"), "0.006"),
        ("a later rate replaces what it names, the rest stays", "big", call("2026-06-01"), "0.005"),
        ("a tier goes before a better source", "big", flex, "0.003"),
        ("a factor for all models", "big", batch, "0.003"),
        ("a factor for a place", "big", europe, "0.0066"),
        ("of two sources the better one, unit by unit", "small", call("2026-01-01"), "0.0017"),
    ] {
        let cost = price(&book, "acme", model, &chat(1000, 100), &call);
        assert_eq!(total(&cost).as_deref(), Some(expected), "{what}");
    }
}

#[test]
fn a_long_prompt_moves_the_whole_request() {
    let book = Book::new(TABLE);
    for (prompt, expected) in [(1000, "0.006"), (1001, "0.011008")] {
        let cost = price(&book, "acme", "big", &chat(prompt, 100), &call("2026-01-01"));
        assert_eq!(total(&cost).as_deref(), Some(expected));
    }
    let cost = price(&book, "acme", "big", &chat(1001, 100), &call("2026-01-01"));
    assert_eq!(cost.items[0].tier, ">1000");
}

#[test]
fn what_has_no_price_makes_the_total_unknown_and_says_why() {
    let book = Book::new(TABLE);
    let mut priority = call("2026-01-01");
    priority.tier = Some("priority".into());
    let listened = br#"{"prompt_tokens": 10, "prompt_audio_seconds": 3}"#;
    for (model, usage, call, status, why) in [
        ("big", chat(10, 1), priority, Status::Partial, "big has no price for the tier \"priority\""),
        (
            "small",
            listened.to_vec(),
            call("2026-01-01"),
            Status::Partial,
            "small has no price for input_audio_seconds",
        ),
        (
            "bit",
            chat(10, 1),
            call("2026-01-01"),
            Status::UnknownModel,
            "no price for the model \"bit\" of acme; close names: big",
        ),
        ("gift", chat(10, 1), call("2026-01-01"), Status::Free, ""),
    ] {
        let cost = price(&book, "acme", model, &usage, &call);
        assert_eq!(cost.status, status, "{model}");
        assert_eq!(cost.assumptions.first().map_or("", String::as_str), why);
        assert_eq!(cost.total, if status == Status::Free { Some(0) } else { None });
    }
    let cost = price(&book, "nobody", "big", &chat(10, 1), &call("2026-01-01"));
    assert_eq!(
        (cost.status, cost.assumptions),
        (Status::UnknownModel, vec!["no table has the provider \"nobody\"".to_owned()])
    );
}

#[test]
fn seconds_are_rounded_once_a_line_half_to_even() {
    let book = Book::new(TABLE);
    let cost = price(&book, "acme", "listen", br#"{"seconds": 7}"#, &call("2026-01-01"));
    assert_eq!(total(&cost).as_deref(), Some("0.000194444444444444"));
    let cost = price(&book, "acme", "listen", br#"{"seconds": 3600.5}"#, &call("2026-01-01"));
    assert_eq!(total(&cost).as_deref(), Some("0.100013888888888889"));
}

#[test]
fn a_date_is_cut_off_only_if_the_family_has_one_price() {
    let book = Book::new(TABLE);
    let cost = price(&book, "acme", "big-2026-09-09", &chat(1000, 100), &call("2026-01-01"));
    assert_eq!(total(&cost).as_deref(), Some("0.006"));
    assert_eq!(cost.matched_by, Some("family of a dated name"));
    assert_eq!(cost.assumptions, ["big-2026-09-09 is priced as big"]);
    let cost = price(&book, "acme", "small-2026-09-09", &chat(1000, 100), &call("2026-01-01"));
    assert_eq!(cost.status, Status::UnknownModel);
}

#[test]
fn a_reseller_has_the_prices_of_the_maker_and_its_own_factors() {
    let book = Book::new(TABLE);
    let mut here = call("2026-01-01");
    here.region = Some("us-east5".into());
    for (call, expected) in [(call("2026-01-01"), "0.006"), (here, "0.0072")] {
        let cost = price(&book, "reseller", "big", &chat(1000, 100), &call);
        assert_eq!(total(&cost).as_deref(), Some(expected));
    }
    let cost = price(&book, "reseller", "small", &chat(1000, 0), &call("2026-01-01"));
    assert_eq!(total(&cost).as_deref(), Some("0.0015"));
}

#[test]
fn what_the_user_registers_goes_before_everything_and_the_latest_first() {
    let book = Book::new(TABLE);
    let usage = chat(1000, 100);
    book.load("!source\tuser\tmine\n[acme]\nbig\t-\tinput=1 output=1\tuser\t2026-11-01\n".into())
        .expect("a table");
    let mut batch = call("2026-01-01");
    batch.batch = true;
    batch.tier = Some("flex".into());
    assert_eq!(total(&price(&book, "acme", "big", &usage, &batch)).as_deref(), Some("0.0011"));
    assert_eq!(total(&price(&book, "acme", "big", &usage, &call("2026-01-01"))).as_deref(), Some("0.0011"));
    book.load("!source\tuser\tmine\n[acme]\nbig\t-\toutput=5\tuser\t2026-11-01\n".into()).expect("a table");
    assert_eq!(total(&price(&book, "acme", "big", &usage, &call("2026-01-01"))).as_deref(), Some("0.0015"));
    book.alias("acme", "prod-eu-1", "small", None);
    assert_eq!(
        total(&price(&book, "acme", "PROD-EU-1", &usage, &call("2026-01-01"))).as_deref(),
        Some("0.0017")
    );
    book.scale("acme", None, Factor(1, 2));
    assert_eq!(
        total(&price(&book, "acme", "small", &usage, &call("2026-01-01"))).as_deref(),
        Some("0.00085")
    );
    // A rate that the user wrote is already the one of the contract.
    assert_eq!(total(&price(&book, "acme", "big", &usage, &call("2026-01-01"))).as_deref(), Some("0.0015"));
    book.reset();
    assert_eq!(total(&price(&book, "acme", "big", &usage, &call("2026-01-01"))).as_deref(), Some("0.006"));
}

#[test]
fn a_table_that_is_not_understood_is_refused_with_its_line() {
    for (row, why) in [
        ("big\t-", "line 2: a row must have the fields model, conditions, rates, source, date"),
        ("big\tsometimes\tinput=1", "line 2: invalid condition \"sometimes\""),
        ("big\t-\tinput=cheap", "line 2: invalid rate \"input=cheap\""),
        ("big\t-\tinput=-1", "line 2: invalid rate \"input=-1\""),
        ("big\t-\tinput=0.1234567891", "line 2: invalid rate \"input=0.1234567891\""),
        ("big\t-\tinput=1,200:2", "line 2: invalid rate \"input=1,200:2\""),
        ("big\t-\tinputs=1", "line 2: unknown unit \"inputs\""),
        ("big\t-\t*=1/0", "line 2: invalid factor \"1/0\""),
        ("big\t-\t", "line 2: a row needs a rate"),
    ] {
        let refused = Table::checked(format!("[acme]\n{row}\n"), 0).map(|_| ());
        assert_eq!(refused, Err(why.to_owned()));
    }
}

#[test]
fn old_prices_are_called_stale() {
    let book = Book::new(TABLE);
    for (now, stale) in [
        ("2026-11-02", None),
        ("2027-01-15", Some("the price table is 75 days old")),
        ("2027-06-01", Some("the price of input was checked 243 days ago")),
    ] {
        let call = Call { now: instant(now).expect("a time"), ..call("2026-01-01") };
        assert_eq!(price(&book, "acme", "big", &chat(10, 1), &call).stale.as_deref(), stale);
    }
}

#[test]
fn the_built_in_table_is_understood_to_the_last_line() {
    let table = Table::checked(ferroscope_core::price::BUILT_IN.to_owned(), 0).expect("every line");
    assert!(table.providers().count() > 40);
    for provider in table.providers() {
        let names = table.names(provider);
        for (name, _) in names {
            assert_eq!(name, name.to_lowercase(), "{provider}");
            assert!(
                table.find(provider, name).is_some_and(|model| !model.rows.is_empty()),
                "{provider}/{name}"
            );
        }
    }
}
