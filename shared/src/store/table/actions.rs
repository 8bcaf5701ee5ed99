//! What is done to one item, under which condition, and what it means where that does not hold.
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
};
use serde::Serialize;

use super::{Item, Tally, batches::whole, unreadable};
use crate::{domain::Refusal, store::keys::Key};

/// Conditions: the item is not there, it is, or it is and was not withdrawn.
pub const NEW: &str = "attribute_not_exists(pk)";
pub const THERE: &str = "attribute_exists(pk)";
pub const SHOWN: &str = "attribute_exists(pk) AND attribute_not_exists(withdrawn)";

/// One write, or one check, in DynamoDB's own expressions.
#[derive(Clone)]
pub struct Action {
    pub(super) key: Key,
    pub(super) write: Write,
    pub(super) condition: Option<String>,
    pub(super) values: Item,
    pub(super) names: Vec<(String, String)>,
    pub(super) refused: Refused,
    /// Whose counts are split when others are met here too often.
    pub(super) crowd: Option<Tally>,
}

#[derive(Clone)]
pub(super) enum Write {
    /// The whole item, or why there is none.
    Put(Result<Item, Refusal>),
    Update(String),
    Delete,
    Check,
}

/// What it means that an action's condition does not hold.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    /// That cannot be: a fault of ours.
    Fault,
    /// What was wanted is so already, or no longer makes a difference.
    Done,
    /// Chance drew what another one has drawn: again, with another.
    Again,
    /// Again, knowing the item that stood in the way.
    Look,
    Refuse(Refusal),
}

impl Action {
    fn new(key: Key, write: Write) -> Self {
        Self { key, write, condition: None, values: Item::new(), names: vec![], refused: Refused::Fault, crowd: None }
    }

    /// Puts an item in the place of whatever is there.
    pub fn put<T: Serialize>(key: Key, item: &T) -> Self {
        Self::new(key.clone(), Write::Put(whole(key, item)))
    }

    /// Puts an item where none is.
    pub fn put_new<T: Serialize>(key: Key, item: &T) -> Self {
        Self::put(key, item).when(NEW)
    }

    /// Puts an item in the place of the one of this `version`, or where none is; again where it has another one by now.
    pub fn put_over<T: Serialize>(key: Key, item: &T, version: u64) -> Self {
        let put = Self::put(key, item).when("attribute_not_exists(pk) OR version = :version");
        put.with(":version", number(version)).or_again()
    }

    /// Changes an item, there or not, by an update expression.
    pub fn update(key: Key, expression: impl Into<String>) -> Self {
        Self::new(key, Write::Update(expression.into()))
    }

    /// Adds to a count, which begins at 0.
    pub fn add(key: Key, count: &str, much: i64) -> Self {
        Self::update(key, format!("ADD {count} :much")).with(":much", number(much))
    }

    pub fn delete(key: Key) -> Self {
        Self::new(key, Write::Delete)
    }

    /// Deletes an item that is there.
    pub fn delete_there(key: Key) -> Self {
        Self::delete(key).when(THERE)
    }

    /// Changes nothing; needs a condition.
    pub fn check(key: Key) -> Self {
        Self::new(key, Write::Check)
    }

    /// Only under this condition, in DynamoDB's words.
    pub fn when(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    /// Only under this condition as well.
    pub fn and(self, condition: &str) -> Self {
        let condition = match &self.condition {
            Some(before) => format!("{before} AND {condition}"),
            None => condition.to_owned(),
        };
        self.when(condition)
    }

    /// A value of the expressions, by its `:name`.
    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub fn with_all(mut self, values: Item) -> Self {
        self.values.extend(values);
        self
    }

    /// A name of the expressions that DynamoDB keeps for itself or cannot spell, by its `#alias`.
    pub fn naming(mut self, alias: &str, name: String) -> Self {
        self.names.push((alias.to_owned(), name));
        self
    }

    pub fn or_done(self) -> Self {
        Self { refused: Refused::Done, ..self }
    }

    pub fn or_again(self) -> Self {
        Self { refused: Refused::Again, ..self }
    }

    pub fn or_look(self) -> Self {
        Self { refused: Refused::Look, ..self }
    }

    pub fn or_refuse(self, refusal: Refusal) -> Self {
        Self { refused: Refused::Refuse(refusal), ..self }
    }

    /// Many want to do this at once: who meets others here again and again splits the counts.
    pub fn in_crowd(self, tally: &Tally) -> Self {
        Self { crowd: Some(tally.clone()), ..self }
    }

    /// The item's.
    pub fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn values(&self) -> Option<Item> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }

    /// As a part of a transaction.
    pub(super) fn build(self, table: &str) -> Result<TransactWriteItem, Refusal> {
        let values = self.values();
        let names =
            Some(self.names.into_iter().collect()).filter(|names: &std::collections::HashMap<_, _>| !names.is_empty());
        let (key, condition) = (Some(self.key.into()), self.condition);
        let item = TransactWriteItem::builder();
        let item = match self.write {
            Write::Put(whole) => {
                let put = Put::builder().table_name(table).set_item(Some(whole?)).set_condition_expression(condition);
                let put = put.set_expression_attribute_values(values).return_values_on_condition_check_failure(AllOld);
                item.put(put.build().map_err(unreadable)?)
            }
            Write::Update(expression) => {
                let update = Update::builder().table_name(table).set_key(key).update_expression(expression);
                let update = update.set_condition_expression(condition).set_expression_attribute_values(values);
                let update =
                    update.set_expression_attribute_names(names).return_values_on_condition_check_failure(AllOld);
                item.update(update.build().map_err(unreadable)?)
            }
            Write::Delete => {
                let delete = Delete::builder().table_name(table).set_key(key).set_condition_expression(condition);
                let delete = delete.set_expression_attribute_values(values);
                let delete = delete.return_values_on_condition_check_failure(AllOld);
                item.delete(delete.build().map_err(unreadable)?)
            }
            Write::Check => {
                let check = ConditionCheck::builder().table_name(table).set_key(key);
                let check = check.set_condition_expression(condition).set_expression_attribute_values(values);
                let check = check.return_values_on_condition_check_failure(AllOld);
                item.condition_check(check.build().map_err(unreadable)?)
            }
        };
        Ok(item.build())
    }
}

/// `SET a = :a, b = :b REMOVE c`.
pub fn assignments(set: &Item, remove: &[String]) -> String {
    let set: Vec<_> = set.keys().map(|name| format!("{name} = :{name}")).collect();
    let set = (!set.is_empty()).then(|| format!("SET {}", set.join(", ")));
    let remove = (!remove.is_empty()).then(|| format!("REMOVE {}", remove.join(", ")));
    [set, remove].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// An item's attributes as values of an expression.
pub fn named(set: Item) -> Item {
    set.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect()
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A set of texts with one member.
pub fn set(value: impl Into<String>) -> AttributeValue {
    AttributeValue::Ss(vec![value.into()])
}

pub fn set_of(values: impl IntoIterator<Item = String>) -> AttributeValue {
    AttributeValue::Ss(values.into_iter().collect())
}

pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
