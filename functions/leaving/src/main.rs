#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events("leaving", async |app, _: leaving::Tick, deadline| {
        Ok(leaving::handle(app, deadline).await)
    })
    .await
}
