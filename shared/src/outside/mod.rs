//! What lies outside: the AWS clients, the object store, the queue, SMS, third parties' logins, payment.
pub mod aws;
mod exchange;
mod media;
pub mod payment;
mod provider;
mod queue;
mod sms;

pub use media::{Media, Published, Upload};
pub use payment::{Charge, Payments};
pub use provider::{Provider, Providers};
pub use queue::{Message, Queue};
pub use sms::{NotSent, Sms};
