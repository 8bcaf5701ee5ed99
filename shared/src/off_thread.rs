use crate::domain::Refusal;

/// CPU work of milliseconds, off the thread that other requests of the local runner wait on.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        tracing::error!("the work off the thread has panicked");
        Err(Refusal::Internal)
    })
}
