//! The streams of `tests/corpus` and their twins, checked alike for every wire format.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ferroscope_core::dialect::{Dialect, Format};
use ferroscope_core::{ErrorKind, Limits, Stream};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// A wire format, and its streams in the corpus.
pub struct Wire {
    pub format: Format,
    /// The folder of its streams, and the extension of their files.
    pub folder: &'static str,
    pub extension: &'static str,
    /// The bytes of a body for the text of such a file.
    pub encode: fn(&str) -> Vec<u8>,
    /// Streams without a plain body: an error is no response, and a service does not send what was cut off.
    pub only_streamed: &'static [&'static str],
}

/// What a reader saw of a stream, and what it has in the end.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Seen {
    pub text: String,
    pub arguments: Vec<(usize, String)>,
    pub completed: Vec<usize>,
    pub response: Value,
}

impl Wire {
    pub fn stream(&self) -> Stream {
        Stream::new(self.format.clone(), Limits::default())
    }

    /// The streams of the corpus: their paths, names and bodies.
    pub fn corpus(&self) -> Vec<(PathBuf, String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus").join(self.folder);
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == self.extension));
        paths.sort();
        assert!(paths.len() > 15, "the streams of {} are missing", self.folder);
        let read = |path: PathBuf| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let body = (self.encode)(&fs::read_to_string(&path).unwrap());
            (path, name, body)
        };
        paths.into_iter().map(read).collect()
    }

    pub fn body(&self, name: &str) -> Vec<u8> {
        self.corpus().into_iter().find(|(_, known, _)| known == name).unwrap().2
    }

    /// Feeds the pieces of a body; an error of the provider becomes the member `error`.
    pub fn read<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
        let mut stream = self.stream();
        let mut seen = Seen::default();
        let mut error = None;
        for piece in pieces {
            stream.feed(piece);
            error = error.or(drain(&mut stream, &mut seen));
        }
        stream.finish();
        error = error.or(drain(&mut stream, &mut seen));
        assert_eq!(stream.state().message_so_far().text, seen.text);
        seen.response = serde_json::from_str(&stream.state().response()).unwrap();
        if let Some(error) = error {
            seen.response["error"] = error;
        }
        seen
    }

    pub fn every_stream_folds_into_its_twin(&self) {
        for (path, name, body) in self.corpus() {
            let seen = self.read([body.as_slice()]);
            assert_eq!(without_nulls(&seen.response), twin(&path), "{name}");
        }
    }

    pub fn the_cuts_make_no_difference(&self) {
        for (_, name, body) in self.corpus() {
            let whole = self.read([body.as_slice()]);
            for size in [1, 2, 3, 7, 64] {
                assert_eq!(self.read(body.chunks(size)), whole, "{name} in {size}");
            }
            for cut in 0..body.len() {
                let (first, second) = body.split_at(cut);
                assert_eq!(self.read([first, second]), whole, "{name} at {cut}");
            }
        }
    }

    pub fn a_plain_body_reads_as_its_stream(&self) {
        for (path, name, body) in self.corpus() {
            if self.only_streamed.contains(&&*name) {
                continue;
            }
            let twin_text = fs::read_to_string(path.with_extension("json")).unwrap();
            let mut plain = self.stream();
            let text = plain.feed_body(&twin_text).unwrap().delta.text.clone();
            let mut streamed = self.stream();
            streamed.feed(&body);
            streamed.finish();
            let mut seen = Seen::default();
            assert_eq!(drain(&mut streamed, &mut seen), None, "{name}");
            let (plain, streamed) = (plain.state(), streamed.state());
            assert_eq!(text, seen.text, "{name}");
            let (of_plain, of_stream) = (plain.message_so_far(), streamed.message_so_far());
            assert_eq!(of_plain.text, of_stream.text, "{name}");
            assert_eq!(of_plain.reasoning, of_stream.reasoning, "{name}");
            assert_eq!(of_plain.finish_reasons, of_stream.finish_reasons, "{name}");
            assert_eq!((of_plain.id, of_plain.model), (of_stream.id, of_stream.model), "{name}");
            let usage = |usage: Option<&str>| usage.map(|text| serde_json::from_str::<Value>(text).unwrap());
            assert_eq!(usage(of_plain.usage), usage(of_stream.usage), "{name}");
            assert_eq!(seen.completed.len(), plain.tool_calls().len(), "{name}");
            let response = serde_json::from_str(&plain.response()).unwrap();
            assert_eq!(without_nulls(&response), twin(&path), "{name}");
            assert_eq!(calls(plain), calls(streamed), "{name}");
        }
    }

    /// Ends a body early: each part of it is an error after all that it brought, and so many calls are complete.
    pub fn a_body_that_ends_too_early_is_an_error(&self, parts: &[(&[u8], usize)]) {
        for (part, calls) in parts {
            let mut stream = self.stream();
            stream.feed(part);
            let mut completed = 0;
            while let Some(step) = stream.next_step().unwrap() {
                completed += step.delta.completed.len();
            }
            stream.finish();
            let error = stream.next_step().unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unfinished);
            assert_eq!(completed, *calls, "an open call is not complete");
            assert!(stream.next_step().unwrap().is_none());
        }
    }
}

/// The calls with their arguments as JSON.
fn calls(state: &Dialect) -> Vec<(Option<String>, String, Value)> {
    let calls = state.tool_calls();
    calls
        .iter()
        .map(|call| {
            let arguments = serde_json::from_str(call.arguments).unwrap();
            (call.id.map(str::to_owned), call.name.to_owned(), arguments)
        })
        .collect()
}

/// Reads what has been fed; the error if the provider reports one.
pub fn drain(stream: &mut Stream, seen: &mut Seen) -> Option<Value> {
    loop {
        match stream.next_step() {
            Ok(Some(step)) => {
                seen.text += &step.delta.text;
                for (position, fragment) in &step.delta.arguments {
                    match seen.arguments.iter_mut().find(|(known, _)| known == position) {
                        Some((_, text)) => text.push_str(fragment),
                        None => seen.arguments.push((*position, fragment.clone())),
                    }
                }
                seen.completed.extend(&step.delta.completed);
            }
            Ok(None) => return None,
            Err(error) => match error.kind {
                ErrorKind::Provider { body, .. } => return Some(serde_json::from_str(&body).unwrap()),
                other => panic!("{other}"),
            },
        }
    }
}

/// A null member means the same as a missing one.
pub fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name.clone(), without_nulls(member)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn twin(stream: &Path) -> Value {
    without_nulls(&serde_json::from_str(&fs::read_to_string(stream.with_extension("json")).unwrap()).unwrap())
}
