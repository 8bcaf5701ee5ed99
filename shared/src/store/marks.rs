//! Likes and collects: once per user and subject, counted exactly.
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    follows::UserEntry,
    keys,
    table::{Action, SHOWN, Store, THERE, Tally, number},
};
use crate::domain::{ArticleId, EntryId, Refusal, Subject, UserId};

/// What can be done to a subject once.
#[derive(Clone, Copy, PartialEq)]
pub enum Mark {
    Like,
    Collect,
}

impl Mark {
    /// The attribute of [`Marks`], and the count of the subject.
    fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Like => ("liked", "like_count"),
            Self::Collect => ("collected", "collect_count"),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Like => Self::Collect,
            Self::Collect => Self::Like,
        }
    }

    /// The lists in which it has a place, by the items that hold it there: of articles is shown who marked them, and what
    /// somebody collected.
    fn entries(self, user: UserId, subject: Subject, place: EntryId) -> Vec<keys::Key> {
        match (subject, self) {
            (Subject::Article(article), Self::Like) => vec![keys::liker(article, place)],
            (Subject::Article(article), Self::Collect) => {
                vec![keys::collector(article, place), keys::collect(user, place)]
            }
            _ => vec![],
        }
    }
}

/// A user's marks on a subject: each with its place in the lists.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Marks {
    pub subject: Subject,
    liked: Option<EntryId>,
    collected: Option<EntryId>,
}

impl Marks {
    pub fn is_like(&self) -> bool {
        self.liked.is_some()
    }

    pub fn is_collect(&self) -> bool {
        self.collected.is_some()
    }
}

/// What an entry of a mark's lists names: each list shows one of them.
#[derive(Serialize)]
struct MarkEntry {
    #[serde(flatten)]
    user: UserEntry,
    subject: Subject,
}

impl Store {
    /// Likes or collects; a repeat changes nothing. 404 where the subject is gone. One transaction.
    pub async fn mark(&self, mark: Mark, user: UserId, subject: impl Into<Subject>) -> Result<(), Refusal> {
        let (subject, count) = (subject.into(), mark.attributes().1);
        let tally = Tally::in_head(keys::head(subject));
        let counted = || Action::add(self.place(&tally), count, 1).when(SHOWN).in_crowd(&tally);
        self.mark_counted(mark, user, subject, counted).await
    }

    /// The same where the subject is as `condition` says; 404 where it is not. As a shard cannot say so, the count stays
    /// whole.
    pub(super) async fn mark_where(
        &self,
        condition: &str,
        mark: Mark,
        user: UserId,
        subject: Subject,
    ) -> Result<(), Refusal> {
        let counted = || Action::add(keys::head(subject), mark.attributes().1, 1).when(condition);
        self.mark_counted(mark, user, subject, counted).await
    }

    async fn mark_counted(
        &self,
        mark: Mark,
        user: UserId,
        subject: Subject,
        counted: impl Fn() -> Action,
    ) -> Result<(), Refusal> {
        let (attribute, counted) = (mark.attributes().0, &counted);
        let build = |_| async move {
            let place = EntryId::fresh(&self.system);
            let set =
                Action::update(keys::mark(user, subject), format!("SET {attribute} = :place, subject = :subject"));
            let set = set.when(format!("attribute_not_exists({attribute})")).with(":place", number(place.0));
            let subject_value = serde_dynamo::to_attribute_value(subject).map_err(super::table::unreadable)?;
            let mut actions = vec![
                counted().or_refuse(Refusal::NoSuch(subject.thing())),
                set.with(":subject", subject_value).or_done(),
            ];
            let entry = MarkEntry { user: UserEntry { user }, subject };
            let entries = mark.entries(user, subject, place).into_iter();
            // Somebody else may have done it in this millisecond and drawn the same place.
            actions.extend(entries.map(|key| Action::put_new(key, &entry).or_again()));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// Takes a mark back; one that was never made is fine. A read and a transaction.
    pub async fn unmark(&self, mark: Mark, user: UserId, subject: impl Into<Subject>) -> Result<(), Refusal> {
        let (subject, (attribute, count)) = (subject.into(), mark.attributes());
        let tally = &Tally::in_head(keys::head(subject));
        let build = |_| async move {
            let marks: Option<Marks> = self.get(keys::mark(user, subject)).await?;
            let places = marks.map(|marks| match mark {
                Mark::Like => (marks.liked, marks.collected),
                Mark::Collect => (marks.collected, marks.liked),
            });
            let Some((Some(place), other)) = places else {
                return Ok((vec![], ()));
            };
            // Who has no mark left leaves nothing behind.
            let (key, (other_attribute, _)) = (keys::mark(user, subject), mark.other().attributes());
            let (taken, is_other) = match other {
                Some(_) => (Action::update(key, format!("REMOVE {attribute}")), "attribute_exists"),
                None => (Action::delete(key), "attribute_not_exists"),
            };
            let taken = taken.when(format!("{attribute} = :place AND {is_other}({other_attribute})"));
            let mut actions = vec![
                // A parallel call has taken it back, or made or taken the other.
                taken.with(":place", number(place.0)).or_again(),
                // The subject is gone, and its marks with it in a moment.
                Action::add(self.place(tally), count, -1).when(THERE).or_done().in_crowd(tally),
            ];
            actions.extend(mark.entries(user, subject, place).into_iter().map(Action::delete_there));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// Those of the subjects that a user has collected. One round; one more as below.
    pub(super) async fn collected_among(
        &self,
        user: UserId,
        subjects: Vec<Subject>,
    ) -> Result<HashSet<Subject>, Refusal> {
        let marks = self.get_near(subjects, |subject| keys::mark(user, subject), |marks: &Marks| marks.subject).await?;
        Ok(marks.into_iter().filter(|(_, marks)| marks.is_collect()).map(|(subject, _)| subject).collect())
    }

    /// A user's marks on articles. One round; one more where they lie far apart, with many marks between them.
    pub(super) async fn article_marks(
        &self,
        user: UserId,
        articles: impl IntoIterator<Item = ArticleId>,
    ) -> Result<HashMap<ArticleId, Marks>, Refusal> {
        let subjects = articles.into_iter().map(Subject::Article);
        let marks = self.get_near(subjects, |subject| keys::mark(user, subject), |marks: &Marks| marks.subject).await?;
        let of_article = |(subject, marks)| match subject {
            Subject::Article(id) => Some((id, marks)),
            _ => None,
        };
        Ok(marks.into_iter().filter_map(of_article).collect())
    }
}
