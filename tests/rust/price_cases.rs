//! Every case of `tests/corpus/cost`, and of the shared set if it lies beside the repository: total, status and items
//! as exact decimals.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::price::{Book, Call, Cost, decimal, instant};
use ferroscope_core::usage::Unit;
use serde_json::{Value, json};
use std::path::Path;

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn call(case: &Value) -> Call {
    let context = &case["context"];
    let at = text(&case["at"]).or_else(|| text(&case["as_of"])).expect("a time");
    let now = instant("2026-11-20T12:00:00Z").expect("a time");
    let empty = serde_json::Map::new();
    let tools = context["tool_calls"].as_object().unwrap_or(&empty);
    Call {
        at: instant(&at).expect("a time"),
        now,
        tier: text(&context["service_tier"]),
        asked_tier: text(&context["requested_service_tier"]),
        batch: context["batch"] == json!(true),
        region: text(&context["region"]),
        counts: tools
            .iter()
            .map(|(name, count)| {
                let unit = Unit::named(name).expect("a unit");
                (unit, decimal::parse(&count.to_string(), decimal::MICRO).expect("a count"))
            })
            .collect(),
        also: text(&context["deployment"]).into_iter().collect(),
        ..Call::default()
    }
}

fn items(cost: &Cost) -> Vec<Value> {
    let mut items: Vec<Value> = cost
        .items
        .iter()
        .map(|item| match item.unit {
            None => json!({"item": item.item, "usd": decimal::format(item.amount, decimal::ATTO)}),
            Some(_) => json!({
                "item": item.item,
                "count": item.count / decimal::ONE,
                "usd_per": decimal::format(item.price, decimal::ATTO),
                "per": item.per,
                "usd": decimal::format(item.amount, decimal::ATTO),
            }),
        })
        .collect();
    items.sort_by_key(Value::to_string);
    items
}

/// What a case expects: total, status (if it is said), items. They are sorted, because no order is promised.
fn expected(case: &Value) -> (Value, Option<&str>, Vec<Value>) {
    let mut items = case["items"].as_array().expect("items").clone();
    items.sort_by_key(Value::to_string);
    let total = case.get("usd").or_else(|| case.get("expected_usd")).expect("a total");
    let status = case["status"].as_str().or_else(|| case["reason"].as_str());
    (total.clone(), status, items)
}

fn run(file: &Path) -> usize {
    let book = Book::default();
    let cases = std::fs::read_to_string(file).expect("the cases");
    let (mut count, mut quick) = (0, 0);
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let usage = serde_json::to_vec(&case["usage"]).expect("a usage");
        let (provider, model) =
            (case["provider"].as_str().expect("text"), case["model"].as_str().expect("text"));
        let cost = book.price_json(provider, model, case["api"].as_str(), Some(&usage), &call(&case));
        if let Some(total) = book.total_json(provider, model, case["api"].as_str(), &usage, &call(&case)) {
            quick += 1;
            let found = (Some(total.atto), total.is_stale, total.provider, Some(total.model_id));
            let wanted = (cost.total, cost.stale.is_some(), cost.provider.clone(), cost.model_id.clone());
            assert_eq!(found, wanted, "{}", case["id"]);
        }
        let (total, status, wanted) = expected(&case);
        let got = cost.total.map_or(Value::Null, |atto| json!(decimal::format(atto, decimal::ATTO)));
        let id = &case["id"];
        assert_eq!(got, total, "{id}: {:?}", cost.assumptions);
        assert_eq!(items(&cost), wanted, "{id}");
        assert_eq!(cost.status.name(), status.unwrap_or(cost.status.name()), "{id}");
        count += 1;
    }
    assert!(quick > count / 4, "the total alone was known {quick} times of {count}");
    count
}

#[test]
fn our_cases_are_exact() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/cost/cases.jsonl");
    assert!(run(&file) >= 60);
}

#[test]
fn the_shared_cases_are_exact() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/cost_cases.jsonl");
    if file.exists() {
        run(&file);
    }
}
