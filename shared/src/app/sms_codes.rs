//! SMS codes: kept in the table, sent past it.
use super::App;
use crate::{
    domain::{Phone, Refusal, Source},
    outside::NotSent,
};

impl App {
    /// Sends a new code to a phone, counted before it leaves, so that nothing done in parallel gains more. 429 where a
    /// limit is reached. What SNS certainly did not take is not counted in the end; what it may have taken is, so
    /// that whoever tries again is sent no second one before its minute is over. Three rounds.
    pub async fn send_sms_code(&self, phone: &Phone, source: Source) -> Result<(), Refusal> {
        let source = self.keys()?.pseudonym(source);
        let code = self.store.new_sms_code(phone, &source, self.config.sms_limits).await?;
        match self.sms().send_code(phone, &code.digits).await {
            Ok(()) => Ok(()),
            Err(NotSent::Perhaps(why)) => Err(why),
            Err(NotSent::Certainly(why)) => {
                // Where that fails it stays counted, which is the safe side.
                let _ = self.store.take_code_back(code).await;
                Err(why)
            }
        }
    }
}
