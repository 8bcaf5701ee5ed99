//! What one user does only so often: an item an hour and one a day hold the counts, and end by themselves.
use super::{
    keys,
    table::{Action, Outcome, Store, number},
};
use crate::{
    domain::{Limit, MINUTE, Refusal, UserId},
    words,
};

impl Store {
    /// Counts one more before it is done, so that nothing done in parallel gains more: 429 where it is too often. One
    /// write, of an item that no transaction touches. (A try whose answer is lost may count twice.)
    pub async fn count(&self, user: UserId, limit: Limit) -> Result<(), Refusal> {
        let (what, most, span) = limit.of();
        let now = self.system.now();
        let end = now - now % span + span;
        let count = format!("{what}_done");
        let update = Action::update(keys::done(user, now, span), format!("ADD {count} :one SET expires_at = :end"))
            .when(format!("attribute_not_exists({count}) OR {count} < :most"))
            .with(":one", number(1))
            .with(":most", number(most))
            .with(":end", number((end + span) / 1000));
        match self.change(update).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(_) => {
                let minutes = (end - now).div_ceil(MINUTE);
                Err(Refusal::TooMany(words!(
                    "at most {limit}: try again in {minutes} min",
                    "{limit:#}，请 {minutes} 分钟后再试",
                    limit = limit.words(),
                    minutes = minutes
                )))
            }
        }
    }

    /// It was not this user who was counted.
    pub async fn uncount(&self, user: UserId, limit: Limit) -> Result<(), Refusal> {
        let (what, _, span) = limit.of();
        let key = keys::done(user, self.system.now(), span);
        self.change(Action::add(key, &format!("{what}_done"), -1)).await.map(drop)
    }
}
