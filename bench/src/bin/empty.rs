//! The smallest function there is: what `lambda_http` alone costs, built with the same profile as the real ones.

use lambda_http::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_| async { Ok::<_, Error>("") })).await
}
