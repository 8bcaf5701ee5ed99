//! From an HTTP request to an operation and back. [`operation`] is the place to start.
pub mod banners;
mod caller;
pub mod cloths;
pub mod comments;
pub mod dialect;
pub mod fields;
pub mod gateway;
mod language;
pub mod masters;
pub mod merchants;
pub mod operation;
pub mod reference;
pub mod users;
pub mod values;
