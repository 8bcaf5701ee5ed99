//! One file per document: where parameters and token are, the envelope, the refusals.
mod a;
mod b;
mod c;
mod d;
mod e;
pub use a::A;
pub use b::B;
pub use c::{C, Number, Text};
pub use d::D;
pub use e::E;

use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

use super::{caller::Credentials, fields::Fields};
use crate::domain::Refusal;

/// What is answered. It fails only where a type cannot be JSON.
pub type Body = serde_json::Result<Vec<u8>>;

/// One document's manners.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a document's dialect",
    note = "use `A`, `B`, `C`, `C<Number>`, `D` or `E`"
)]
pub trait Dialect: 'static {
    const DOCUMENT: &'static str;
    /// The status of a refusal with a code of four digits: an answer that a client is documented to read.
    const FOUR_DIGITS: StatusCode = StatusCode::OK;

    /// Finds the credentials and the parameters: in most documents the token is in `Authorization`, and the parameters
    /// are a GET's query or a form, multipart or JSON body.
    fn read(head: &Parts, body: Bytes) -> impl Future<Output = Result<(Credentials, Fields), Refusal>> + Send {
        async move {
            let credentials = Credentials { token: header_token(&head.headers), ..Credentials::default() };
            let fields = match head.method {
                Method::GET => Fields::query(head)?,
                _ => Fields::any(&head.headers, body).await?,
            };
            Ok((credentials, fields))
        }
    }

    /// Wraps the response.
    fn answer<T: Serialize>(response: T) -> Body;

    /// Says no, in the same envelope.
    fn refuse(code: u16, msg: &str) -> Body;

    // What OpenAPI needs to know beside that; only the reference asks.

    /// The content types of a body.
    const BODIES: &'static [&'static str];
    const TOKEN_IN_BODY: bool = false;
    /// Whether a device signs in as well as a token.
    const DEVICES: bool = false;
    /// The envelope's schema around a response's.
    fn envelope(response: Schema) -> Value;
    /// The name and the schema of the body of every refusal.
    fn refusal() -> (&'static str, Value);
}

/// `Authorization: <token>` or `Authorization: Bearer <token>`.
fn header_token(headers: &HeaderMap) -> Option<String> {
    token(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// The token in a text; one that is empty says nothing.
fn token(text: &str) -> Option<String> {
    let text = text.trim();
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text,
    };
    (!token.is_empty()).then(|| token.to_owned())
}
