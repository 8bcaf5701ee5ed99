#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve_events(async |app, event, _| Ok(media::handle(app, event).await?)).await
}
