#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events("fanout", async |app, sent, deadline| Ok(fanout::handle(app, sent, deadline).await))
        .await
}
