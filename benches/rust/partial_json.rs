//! The cost of a delta while a document grows. It must not depend on the document's length.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroscope_core::partial_json::{Document, Rules};

/// Returns a list of objects of about this number of bytes, as a model would write it.
fn list_of_objects(bytes: usize) -> String {
    let mut text = String::from("{\"items\": [");
    for n in 0.. {
        text.push_str(&format!(
            r#"{{"name": "item number {n}", "price": {n}.5, "tags": ["a", "b"], "ok": true}}"#
        ));
        if text.len() >= bytes {
            break;
        }
        text.push_str(", ");
    }
    text + "]}"
}

fn deltas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("partial_json/8-byte deltas");
    group.sample_size(10);
    for count in [250, 2_000, 20_000, 125_000] {
        let text = list_of_objects(count * 8);
        let mut document = Document::new(Rules::DEFAULT);
        text.as_bytes().chunks(8).for_each(|delta| document.feed(delta).unwrap());
        document.finish().unwrap();
        assert_eq!(document.to_json().unwrap(), text.replace(": ", ":").replace(", ", ","));

        group.throughput(Throughput::Elements((text.len() / 8) as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &text, |bencher, text| {
            bencher.iter(|| {
                let mut document = Document::new(Rules::DEFAULT);
                for delta in text.as_bytes().chunks(8) {
                    document.feed(delta).unwrap();
                    black_box(document.changes());
                }
                document
            });
        });
    }
    let long = format!("\"{}\"", "one long string ".repeat(65_536));
    group.throughput(Throughput::Elements((long.len() / 8) as u64));
    group.bench_function("one string of 1 MB", |bencher| {
        bencher.iter(|| {
            let mut document = Document::new(Rules::STRICT);
            long.as_bytes().chunks(8).for_each(|delta| document.feed(delta).unwrap());
            document
        });
    });
    group.finish();
}

criterion_group!(benches, deltas);
criterion_main!(benches);
