//! The time to price a call: a total of counts, a bill of a usage object, a new name, and the first use.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use ferroscope_core::price::{Book, Call, instant};
use ferroscope_core::usage::Totals;
use std::hint::black_box;

const CHAT: &[u8] = br#"{"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
 "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens_details": {"reasoning_tokens": 0}}"#;

fn price(criterion: &mut Criterion) {
    let at = instant("2026-11-20T12:00:00Z").unwrap();
    let call = Call { at, now: at, ..Call::default() };
    let totals = Totals { input: Some(1200), cached: 400, output: Some(300), ..Totals::default() };
    let book = Book::default();
    let exact = Some(4_500_000_000_000_000 + 1_000_000_000_000_000);
    assert_eq!(book.total("openai", "gpt-4o", &totals, &call), Ok(exact));
    assert_eq!(book.price_json("openai", "gpt-4o", None, Some(CHAT), &call).total, exact);
    criterion.bench_function("total of counts", |bench| {
        bench.iter(|| black_box(&book).total("openai", black_box("gpt-4o"), black_box(&totals), &call));
    });
    criterion.bench_function("bill of a usage object", |bench| {
        bench.iter(|| {
            black_box(&book).price_json("openai", black_box("gpt-4o"), None, Some(black_box(CHAT)), &call)
        });
    });
    criterion.bench_function("a name for the first time", |bench| {
        let name =
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0";
        bench.iter(|| {
            book.reset();
            book.find("bedrock", black_box(name), None).is_some()
        });
    });
    criterion.bench_function("first use", |bench| {
        bench.iter(|| Book::default().total("openai", "gpt-4o", &totals, &call));
    });
}

criterion_group!(benches, price);
criterion_main!(benches);
