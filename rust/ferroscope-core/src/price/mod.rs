//! The exact cost of a call: item by item, with the source of every price.
//!
//! [`Book`] contains the built-in table (`prices/table.tsv`, see [`table`]) below the rows that the user registered.
//! [`Book::price`] takes counts ([`crate::usage`]) and the [`CallConditions`] of a call. Arithmetic is on integers:
//! prices in nano-USD, counts in millionths, amounts in atto-USD. Each line is rounded once, and only if its price is
//! for 3600 seconds. Unknown values are not guessed: the [`Status`] shows why there is no total.
//!
//! | module | contents |
//! |---|---|
//! | `book` | the tables of a process, and the search for a model in them |
//! | `name_match` | the names under which a table may have a model |
//! | [`table`], `when` | the rows, and the conditions under which a row applies |
//! | `call` | the conditions of a call |
//! | `bill` | the lines of a bill |
//! | `cost` | the total and its status |

mod bill;
mod book;
mod call;
mod cost;
pub mod decimal;
mod name_match;
pub mod table;
mod when;

pub use crate::providers::{provider_id, provider_of_host};
pub use bill::{Factor, Item, Status};
pub use book::{Book, Found};
pub use call::Call;
pub use cost::{Cost, Total, UnknownProvider};
pub use name_match::MatchKind;
pub use table::{Model, Table};
pub use when::{CallConditions, instant};

/// The table that is built into the crate.
pub const BUILT_IN: &str = include_str!("prices/table.tsv");

/// A table is stale this many days after its version.
pub const TABLE_DAYS: i64 = 60;
/// A row is stale this many days after it was checked.
pub const ROW_DAYS: i64 = 180;
