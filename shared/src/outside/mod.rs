//! What lies outside: the AWS clients, the object store, the queue, SMS, third parties' logins.
pub mod aws;
mod media;
mod provider;
mod queue;
mod sms;

pub use media::{Media, Published, Upload};
pub use provider::{Provider, Providers};
pub use queue::{Message, Queue};
pub use sms::Sms;
