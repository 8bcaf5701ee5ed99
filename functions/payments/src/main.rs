#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events("payments", async |app, _: payments::Tick, _| Ok(payments::handle(app).await)).await
}
