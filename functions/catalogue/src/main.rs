#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events("catalogue", async |app, event, deadline| {
        Ok(catalogue::handle(app, event, deadline).await)
    })
    .await
}
