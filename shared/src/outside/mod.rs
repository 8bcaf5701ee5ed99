//! What lies outside: the AWS clients, the object store, SMS, third parties' logins.
pub mod aws;
mod media;
mod provider;
mod sms;

pub use media::{Media, Published, Upload};
pub use provider::{Provider, Providers};
pub use sms::Sms;
