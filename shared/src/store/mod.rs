//! The one table: named verbs, each one round trip or one transaction. Key strings are in [`keys`].
pub mod keys;
mod sessions;
mod sms_codes;
mod users;
mod window;

use std::{collections::HashMap, future::Future, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{transact_write_items::TransactWriteItemsError, update_item::builders::UpdateItemFluentBuilder},
    types::{
        AttributeValue, ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_dynamo::{from_item, to_item};

use crate::domain::{Refusal, World};
use keys::Key;
pub use sessions::LoggedIn;
pub use sms_codes::ProvedCode;
pub use users::{Changes, NewUser, PhoneChange, Profile};

type Item = HashMap<String, AttributeValue>;

/// The table and its verbs.
pub struct Store {
    client: Client,
    table: String,
    world: World,
}

/// How often a write that met another one is tried in all, before the caller is told that we are busy.
const TRIES: u32 = 6;

/// A write whose condition may fail.
enum Outcome {
    /// Done; the item as it is now.
    Done(Item),
    /// Not done; the item as it stands, empty where there is none.
    Refused(Item),
}

/// A transaction that was not done, because the condition of its action number `at` failed.
struct Refused {
    at: usize,
    /// The item as it stands, empty where there is none.
    item: Item,
}

impl Store {
    pub fn new(client: Client, table: String, world: World) -> Self {
        Self { client, table, world }
    }

    /// Opens the connection, so that the first request finds it open. A failure shows at that request.
    pub async fn warm(&self) {
        let _ = self.client.get_item().table_name(&self.table).set_key(Some(keys::warm().into())).send().await;
    }

    /// One item as it is now, not as it was a moment ago.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, Refusal> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.into())).consistent_read(true);
        request.send().await.map_err(broken)?.item.map(read).transpose()
    }

    fn update(&self, key: Key, expression: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key.into())).update_expression(expression)
    }

    /// Sends an update, again where a transaction held the item.
    async fn change(&self, update: UpdateItemFluentBuilder) -> Result<Outcome, Refusal> {
        let update = update
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.persist(async || match update.clone().send().await {
            Ok(done) => Ok(Some(Outcome::Done(done.attributes.unwrap_or_default()))),
            Err(error) => match error.as_service_error() {
                Some(no) if no.is_transaction_conflict_exception() => Ok(None),
                Some(no) if no.is_conditional_check_failed_exception() => match error.into_service_error() {
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(no) => {
                        Ok(Some(Outcome::Refused(no.item.unwrap_or_default())))
                    }
                    _ => Err(Refusal::Internal),
                },
                _ => Err(broken(error)),
            },
        })
        .await
    }

    /// All of the actions or none, again where another write was at one of the items. The inner result tells which
    /// condition failed.
    async fn transact(&self, actions: Vec<TransactWriteItem>) -> Result<Result<(), Refused>, Refusal> {
        // One token for all tries: what was applied without our hearing of it is not applied again.
        let token = self.world.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.persist(async || {
            let request = self.client.transact_write_items().client_request_token(&token);
            match request.set_transact_items(Some(actions.clone())).send().await {
                Ok(_) => Ok(Some(Ok(()))),
                Err(error) => match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionInProgressException(_)) => Ok(None),
                    Some(TransactWriteItemsError::TransactionCanceledException(no)) => {
                        let reasons = no.cancellation_reasons();
                        let failed = reasons.iter().position(|reason| reason.code() == Some("ConditionalCheckFailed"));
                        match failed {
                            Some(at) => {
                                Ok(Some(Err(Refused { at, item: reasons[at].item().cloned().unwrap_or_default() })))
                            }
                            None if reasons.iter().any(|reason| reason.code() == Some("ValidationError")) => {
                                Err(broken(error))
                            }
                            None => Ok(None),
                        }
                    }
                    _ => Err(broken(error)),
                },
            }
        })
        .await
    }

    /// Tries until there is an answer, with growing pauses of random length between.
    async fn persist<T, F: Future<Output = Result<Option<T>, Refusal>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, Refusal> {
        for tried in 0..TRIES {
            if let Some(answer) = attempt().await? {
                return Ok(answer);
            }
            let most = 20 << tried;
            let pause = u64::from(u16::from_le_bytes(self.world.random())) % most;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Err(Refusal::Unavailable)
    }

    fn put_action<T: Serialize>(
        &self,
        key: Key,
        item: &T,
        condition: &str,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, Refusal> {
        let mut whole: Item = to_item(item).map_err(unreadable)?;
        whole.extend(Item::from(key));
        let put = Put::builder().table_name(&self.table).set_item(Some(whole)).condition_expression(condition);
        let put = put.set_expression_attribute_values(values).build().map_err(unreadable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update_action(
        &self,
        key: Key,
        expression: impl Into<String>,
        condition: impl Into<String>,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, Refusal> {
        let update = Update::builder().table_name(&self.table).set_key(Some(key.into())).update_expression(expression);
        let update = update
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder().update(update.build().map_err(unreadable)?).build())
    }

    fn delete_action(&self, key: Key, condition: &str, values: Option<Item>) -> Result<TransactWriteItem, Refusal> {
        let delete =
            Delete::builder().table_name(&self.table).set_key(Some(key.into())).condition_expression(condition);
        let delete = delete.set_expression_attribute_values(values).build().map_err(unreadable)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn check_action(&self, key: Key, condition: &str, values: Option<Item>) -> Result<TransactWriteItem, Refusal> {
        let check = ConditionCheck::builder().table_name(&self.table).set_key(Some(key.into()));
        let check = check.condition_expression(condition).set_expression_attribute_values(values);
        Ok(TransactWriteItem::builder().condition_check(check.build().map_err(unreadable)?).build())
    }
}

/// `:name`s of an expression with their values.
fn values<const N: usize>(values: [(&str, AttributeValue); N]) -> Option<Item> {
    Some(values.map(|(name, value)| (name.to_owned(), value)).into())
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn set(value: impl Into<String>) -> AttributeValue {
    AttributeValue::Ss(vec![value.into()])
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, Refusal> {
    from_item(item).map_err(unreadable)
}

/// An item or a request that cannot be what it is: a fault of ours.
fn unreadable(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a stored item or a request to the table is malformed");
    Refusal::Internal
}

/// What the storage did not do, in the log without the item's contents and to the client without details.
fn broken<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Refusal {
    crate::outside::aws::refusal("DynamoDB", &error)
}
