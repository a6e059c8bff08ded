//! The extension module `ferroscope._core`. It only converts and forwards.

mod emit;
mod error;
mod event;
mod growing_text;
#[cfg(unix)]
mod http;
mod http_chunks;
mod partial_json;
mod plain_json;
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
    use super::plain_json::plain_json;
    #[pymodule_export]
    use super::price::{
        calculate_cost, price_total, price_usage, prices_alias, prices_billed_by, prices_conditions,
        prices_info, prices_known, prices_load, prices_only_api, prices_provider, prices_reset, prices_rows,
        prices_scale, prices_where, token_counts,
    };
    #[pymodule_export]
    use super::stream::StreamDecoder;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
