//! The extension module `ferroscope._core`. It only converts and forwards.

mod emit;
mod error;
mod event;
mod growing_text;
#[cfg(unix)]
mod http;
mod http_chunks;
mod partial_json;
mod price;
mod stream;

use pyo3::prelude::*;

/// `ferroscope._core`
#[pymodule(gil_used = false)]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::emit::EventEmitter;
    #[pymodule_export]
    use super::error::DecodeError;
    #[pymodule_export]
    use super::event::{Event, ToolCallDelta};
    #[cfg(unix)]
    #[pymodule_export]
    use super::http::{HttpEngine, HttpExchange, TlsSettings, http_forked};
    #[pymodule_export]
    use super::http_chunks::ChunkJoiner;
    #[pymodule_export]
    use super::partial_json::{JsonError, PartialJson};
    #[pymodule_export]
    use super::stream::StreamDecoder;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::price::register(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
