#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::function::serve(gallery::operations).await
}
