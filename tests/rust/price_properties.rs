//! What holds for every usage: costs add up, grow with every count, never count a token twice, and no input breaks
//! the reader.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::price::{Book, Call, Cost, instant};
use ferroscope_core::usage::Unit;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static BOOK: LazyLock<Book> = LazyLock::new(Book::default);

/// A form of usage: provider, a model with prices for all of it, and how counts are written.
struct Form {
    provider: &'static str,
    model: &'static str,
    write: fn(&Counts) -> Value,
}

/// fresh, read, written, output, reasoning: in any form, none of them inside another.
#[derive(Debug, Clone, Copy)]
struct Counts {
    fresh: u64,
    read: u64,
    written: u64,
    output: u64,
    reasoning: u64,
}

impl Counts {
    fn all(&mut self) -> [&mut u64; 5] {
        [&mut self.fresh, &mut self.read, &mut self.written, &mut self.output, &mut self.reasoning]
    }

    fn sum(mut self) -> u64 {
        self.all().into_iter().map(|count| *count).sum()
    }
}

const FORMS: &[Form] = &[
    Form {
        provider: "openai",
        model: "gpt-5.6-sol",
        write: |c| {
            json!({
                "input_tokens": c.fresh + c.read + c.written,
                "input_tokens_details": {"cached_tokens": c.read, "cache_write_tokens": c.written},
                "output_tokens": c.output + c.reasoning,
                "output_tokens_details": {"reasoning_tokens": c.reasoning},
                "total_tokens": c.sum(),
            })
        },
    },
    Form {
        provider: "openai",
        model: "gpt-5.6-terra",
        write: |c| {
            json!({
                "prompt_tokens": c.fresh + c.read + c.written,
                "prompt_tokens_details": {"cached_tokens": c.read, "cache_write_tokens": c.written},
                "completion_tokens": c.output + c.reasoning,
                "completion_tokens_details": {"reasoning_tokens": c.reasoning},
                "total_tokens": c.sum(),
            })
        },
    },
    Form {
        provider: "anthropic",
        model: "claude-haiku-5-5",
        write: |c| {
            json!({
                "input_tokens": c.fresh,
                "cache_read_input_tokens": c.read,
                "cache_creation_input_tokens": c.written,
                "cache_creation": {"ephemeral_5m_input_tokens": c.written / 3,
                                   "ephemeral_1h_input_tokens": c.written - c.written / 3},
                "output_tokens": c.output + c.reasoning,
                "output_tokens_details": {"thinking_tokens": c.reasoning},
            })
        },
    },
    Form {
        provider: "bedrock",
        model: "eu.anthropic.claude-sonnet-4-6",
        write: |c| {
            json!({
                "inputTokens": c.fresh,
                "cacheReadInputTokens": c.read,
                "cacheWriteInputTokens": c.written,
                "outputTokens": c.output + c.reasoning,
            })
        },
    },
    Form {
        provider: "google",
        model: "gemini-2.5-flash",
        write: |c| {
            json!({
                "promptTokenCount": c.fresh + c.read,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": c.fresh / 2}],
                "toolUsePromptTokenCount": c.written,
                "cachedContentTokenCount": c.read,
                "candidatesTokenCount": c.output,
                "thoughtsTokenCount": c.reasoning,
            })
        },
    },
    Form {
        provider: "xai",
        model: "grok-4",
        write: |c| {
            json!({
                "prompt_tokens": c.fresh + c.read + c.written,
                "prompt_tokens_details": {"cached_tokens": c.read},
                "completion_tokens": c.output,
                "completion_tokens_details": {"reasoning_tokens": c.reasoning},
                "total_tokens": c.sum(),
            })
        },
    },
];

fn price(form: &Form, counts: &Counts) -> Cost {
    let at = instant("2026-11-20T12:00:00Z").unwrap();
    let call = Call { at, now: at, ..Call::default() };
    let usage = serde_json::to_vec(&(form.write)(counts)).unwrap();
    let cost = BOOK.price_json(form.provider, form.model, None, Some(&usage), &call);
    if let Some(quick) = BOOK.total_json(form.provider, form.model, None, &usage, &call) {
        assert_eq!((Some(quick.atto), quick.is_stale), (cost.total, cost.stale.is_some()));
        assert_eq!((quick.provider, Some(quick.model_id)), (cost.provider.clone(), cost.model_id.clone()));
    }
    cost
}

fn total(form: &Form, counts: &Counts) -> i128 {
    let cost = price(form, counts);
    cost.total.unwrap_or_else(|| panic!("{} {counts:?}: {:?}", form.model, cost.assumptions))
}

prop_compose! {
    /// Short of every threshold, so that one price holds.
    fn counts()(fresh in 0..9_000_u64, read in 0..9_000_u64, written in 0..9_000_u64, output in 0..9_000_u64, reasoning in 0..9_000_u64) -> Counts {
        Counts { fresh, read, written, output, reasoning }
    }
}

proptest! {
    #[test]
    fn costs_add_up(form in 0..FORMS.len(), a in counts(), b in counts()) {
        // Halves and thirds are how this test splits them, not the provider: even numbers split alike.
        let even = |c: Counts| Counts { fresh: c.fresh / 2 * 2, written: c.written / 3 * 3, ..c };
        let (form, mut a, mut b) = (&FORMS[form], even(a), even(b));
        let mut both = a;
        for ((sum, _), more) in both.all().into_iter().zip(a.all()).zip(b.all()) {
            *sum += *more;
        }
        prop_assert_eq!(total(form, &both), total(form, &a) + total(form, &b));
    }

    #[test]
    fn a_cost_grows_with_every_count(form in 0..FORMS.len(), a in counts(), which in 0..5_usize, more in 1..300_000_u64) {
        let form = &FORMS[form];
        let mut grown = a;
        *grown.all()[which] += more;
        prop_assert!(total(form, &grown) > total(form, &a));
    }

    #[test]
    fn what_comes_from_a_cache_is_never_dearer(form in 0..FORMS.len(), a in counts(), moved in 0..9_000_u64) {
        let form = &FORMS[form];
        let moved = moved.min(a.fresh);
        let cached = Counts { fresh: a.fresh - moved, read: a.read + moved, ..a };
        prop_assert!(total(form, &cached) <= total(form, &a));
    }

    #[test]
    fn every_token_is_in_one_item(form in 0..FORMS.len(), a in counts(), long in 0..400_000_u64) {
        let a = Counts { fresh: a.fresh + long, ..a };
        let items = price(&FORMS[form], &a).items;
        let counted: i128 = items.iter().map(|item| item.count).sum();
        prop_assert_eq!(counted, i128::from(a.sum()) * 1_000_000);
        let mut units: Vec<Unit> = items.iter().filter_map(|item| item.unit).collect();
        units.sort_unstable();
        units.dedup();
        prop_assert_eq!(units.len(), items.len());
    }

    #[test]
    fn any_bytes_are_answered(text in "\\PC*", form in 0..FORMS.len()) {
        let call = Call::default();
        let cost = BOOK.price_json(FORMS[form].provider, &text, Some(&text), Some(text.as_bytes()), &call);
        prop_assert_eq!(cost.total, None);
    }

    #[test]
    fn any_usage_is_answered(usage in odd_usage(), form in 0..FORMS.len()) {
        let form = &FORMS[form];
        let cost = BOOK.price_json(form.provider, form.model, None, Some(usage.to_string().as_bytes()), &Call::default());
        // Nothing that contradicts itself has a total, and no total is negative.
        prop_assert!(cost.total.is_none_or(|total| total >= 0));
    }

    #[test]
    fn any_name_is_answered(provider in prop::sample::select(vec!["openai", "bedrock", "vertex", "azure", "litellm", "x"]), name in "[a-z0-9.:/@-]{0,40}|\\PC{0,12}") {
        let usage = br#"{"prompt_tokens": 10, "completion_tokens": 1}"#;
        let cost = BOOK.price_json(provider, &name, None, Some(usage), &Call::default());
        prop_assert!(cost.total != Some(0));
    }
}

/// Objects with the members of all formats, and values that no provider should send.
fn odd_usage() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        Just(json!(null)),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(json!("12")),
        Just(json!([])),
        (0..5_000_u64).prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
    ];
    let name = prop::sample::select(vec![
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "cachedContentTokenCount",
        "inputTokens",
        "outputTokens",
        "reasoning_tokens",
        "audio_tokens",
        "text_tokens",
        "cost_in_usd_ticks",
        "cost",
        "seconds",
        "tokenCount",
        "service_tier",
    ]);
    let inner = prop::collection::vec((name.clone(), number.clone()), 0..6).prop_map(|members| {
        members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<_, _>>()
    });
    let nest = prop::sample::select(vec![
        "prompt_tokens_details",
        "completion_tokens_details",
        "input_tokens_details",
        "output_tokens_details",
        "input_token_details",
        "output_token_details",
        "cache_creation",
        "billed_units",
        "usage",
        "tokens",
    ]);
    let list =
        prop::sample::select(vec!["iterations", "promptTokensDetails", "cacheTokensDetails", "cacheDetails"]);
    (
        inner.clone(),
        prop::collection::vec((nest, inner.clone()), 0..3),
        prop::collection::vec((list, inner), 0..2),
    )
        .prop_map(|(mut outer, nested, listed)| {
            outer.extend(nested.into_iter().map(|(name, members)| (name.to_owned(), Value::Object(members))));
            outer.extend(
                listed.into_iter().map(|(name, members)| (name.to_owned(), json!([Value::Object(members)]))),
            );
            Value::Object(outer)
        })
}
