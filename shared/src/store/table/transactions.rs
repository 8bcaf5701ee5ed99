//! Writes under conditions, of one item and of several at once.
use std::future::Future;

use aws_sdk_dynamodb::{
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};

use super::{
    Action, Item, Store, TRIES, Tally,
    actions::{Refused, Write},
    broken, pause,
};
use crate::domain::{Refusal, hex};

/// A write of one item whose condition may not hold.
pub enum Outcome {
    /// Done; the item as it is now.
    Done(Item),
    /// Not done; the item as it stands, empty where there is none.
    Refused(Item),
}

/// How a transaction went.
pub(super) enum Attempt {
    Done,
    /// The condition of action number `at` does not hold: the item as it stands, empty where there is none.
    Refused {
        at: usize,
        item: Item,
    },
    /// Others were at it where a crowd may be.
    Crowded(Tally),
}

/// How many tries in a row meet others where a crowd may be, before it is taken for one.
const CROWD: u32 = 3;

impl Store {
    /// Sends an update, again where a transaction held the item. What a refusal means is the caller's to say.
    pub async fn change(&self, update: Action) -> Result<Outcome, Refusal> {
        let values = update.values();
        let Write::Update(expression) = update.write else {
            return Err(Refusal::Internal);
        };
        let request = self.client.update_item().table_name(&self.table).set_key(Some(update.key.into()));
        let request = request
            .update_expression(expression)
            .set_condition_expression(update.condition)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for tried in 0..TRIES {
            let error = match Box::pin(request.clone().send()).await {
                Ok(done) => return Ok(Outcome::Done(done.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(no)) => {
                    return Ok(Outcome::Refused(no.item().cloned().unwrap_or_default()));
                }
                Some(UpdateItemError::TransactionConflictException(_)) => pause(&self.system, tried).await,
                _ => return Err(broken(error)),
            }
        }
        Err(Refusal::Unavailable)
    }

    /// All of the actions or none. Where one's condition does not hold, it says what that means; where it means to try
    /// again, `build` makes new ones, told the item that stood in the way, or `None`. Gives what `build` gave beside the
    /// actions that were done, or that were found to be so already.
    pub async fn transact<T, F>(&self, build: impl Fn(Option<Item>) -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<(Vec<Action>, T), Refusal>>,
    {
        let (mut seen, mut paused) = (None, None);
        for tried in 0..TRIES {
            if let Some(before) = paused.take() {
                pause(&self.system, before).await;
            }
            let (actions, made) = build(seen.take()).await?;
            if actions.is_empty() {
                return Ok(made);
            }
            let refused: Vec<_> = actions.iter().map(|action| action.refused.clone()).collect();
            // Many are at the same item: who looks at once again and again meets the next of them.
            paused = tried.checked_sub(1);
            match self.attempt(actions).await? {
                Attempt::Done => return Ok(made),
                Attempt::Crowded(tally) if self.split.knows(&tally) => {}
                Attempt::Crowded(tally) => {
                    let is_split = self.is_split(&tally).await? || tried + 1 >= CROWD && self.split(&tally).await?;
                    paused = (!is_split).then_some(tried);
                }
                Attempt::Refused { at, item } => match refused.into_iter().nth(at) {
                    Some(Refused::Done) => return Ok(made),
                    Some(Refused::Again) => {}
                    Some(Refused::Look) => seen = Some(item),
                    Some(Refused::Refuse(refusal)) => return Err(refusal),
                    Some(Refused::Fault) | None => {
                        tracing::error!(action = at, "a condition that always holds did not");
                        return Err(Refusal::Internal);
                    }
                },
            }
        }
        Err(Refusal::Unavailable)
    }

    /// A transaction that is made only once.
    pub async fn transact_once(&self, actions: Vec<Action>) -> Result<(), Refusal> {
        self.transact(|_| std::future::ready(Ok((actions.clone(), ())))).await
    }

    /// Again where another write was at one of the items, but where a crowd may be: there who asked looks first.
    pub(super) async fn attempt(&self, actions: Vec<Action>) -> Result<Attempt, Refusal> {
        let crowds: Vec<_> = actions.iter().map(|action| action.crowd.clone()).collect();
        let actions = actions.into_iter().map(|action| action.build(&self.table));
        let actions: Vec<TransactWriteItem> = actions.collect::<Result<_, _>>()?;
        // One token for all tries: what was applied without our hearing of it is not applied again.
        let token = hex(&self.system.random::<16>());
        for tried in 0..TRIES {
            let request = self.client.transact_write_items().client_request_token(&token);
            let request = request.set_transact_items(Some(actions.clone())).send();
            let error = match Box::pin(request).await {
                Ok(_) => return Ok(Attempt::Done),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(no)) => {
                    let reasons = no.cancellation_reasons();
                    let of_kind = |kind| reasons.iter().position(|why| why.code() == Some(kind));
                    if let Some(at) = of_kind("ConditionalCheckFailed") {
                        let item = reasons[at].item().cloned().unwrap_or_default();
                        return Ok(Attempt::Refused { at, item });
                    }
                    if of_kind("ValidationError").is_some() {
                        return Err(broken(error));
                    }
                    let met = reasons.iter().zip(&crowds).filter(|(why, _)| why.code() == Some("TransactionConflict"));
                    if let Some(tally) = met.filter_map(|(_, crowd)| crowd.clone()).next() {
                        return Ok(Attempt::Crowded(tally));
                    }
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(broken(error)),
            }
            pause(&self.system, tried).await;
        }
        Err(Refusal::Unavailable)
    }
}
