//! What all functions share. A request's way: [`wire`] → an operation → [`store`] and [`outside`] → [`domain`], and
//! back. `wire/operation.rs` is the place to start.
mod app;
pub mod config;
pub mod domain;
pub mod function;
pub mod meter;
mod off_thread;
pub mod outside;
pub mod store;
pub mod wire;

pub use app::App;
pub use off_thread::off_thread;
