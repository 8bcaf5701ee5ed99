#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events("media", async |app, sent, _| Ok(media::handle(app, media::event(sent)).await?))
        .await
}
