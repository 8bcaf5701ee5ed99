//! Comments on a subject, and votes on comments.
use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::to_attribute_value;

use super::{
    keys::{self, Key},
    table::{Action, Item, Range, SHOWN, Store, THERE, assignments, named, number, read, unreadable},
    ticket_circle::commented,
    users::Profile,
};
use crate::{
    domain::{CommentId, DAY, Millis, Page, ProjectId, Refusal, Subject, SubjectKind, Thing, TicketId, UserId},
    words,
};

const NO_COMMENT: Refusal = Refusal::NoSuch(Thing::Comment);

/// Text, in bytes, up to which a comment is one KB: a vote is then two write units. A longer text is an item of its own.
const SHORT: usize = 600;

/// The condition that a subject's ids of comments grow.
pub(super) const LATER: &str = "(attribute_not_exists(last_comment) OR last_comment < :id)";

/// Comments that a page passes over one by one. More are counted by their places, which hold nothing else.
const FEW: usize = 40;

/// How long a deleted comment keeps its place in lists that were pinned before.
const REMEMBERED: Millis = DAY;
/// Comments deleted since a list was pinned whose places are kept.
const MOST_GONE: usize = 1_000;

/// A comment with its counts, which are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    pub id: CommentId,
    pub user: UserId,
    pub content: String,
    pub created_at: Millis,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What the thread began with that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_reply: Option<Reply>,
    pub up_count: u64,
    pub down_count: u64,
    /// The text stands beside the [`Origin`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_long: bool,
}

/// Another comment, which may be gone, and who wrote it: nobody once they have left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub comment: CommentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// Whom a comment answers, by what it answers and what its thread began with.
pub(super) fn answered(replies: [Option<Reply>; 2]) -> BTreeSet<UserId> {
    replies.into_iter().filter_map(|reply| reply?.user).collect()
}

/// A comment in its author's partition, or in that of somebody whom it answers.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct SaidEntry {
    pub said: CommentId,
    pub subject: Subject,
}

/// What is found by a comment's id alone: what it stands under, and who wrote it. It never changes.
#[derive(Serialize, Deserialize)]
struct Origin {
    subject: Subject,
    user: UserId,
    /// It answers another: whom, says the comment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_answer: bool,
    /// The text, where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// What a comment wants to know of its subject.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SubjectHead {
    /// Articles have one.
    author: Option<UserId>,
    comment_count: u64,
    last_comment: CommentId,
    withdrawn: bool,
    /// A ticket has both, and is withdrawn with either.
    batch: Option<TicketId>,
    project: Option<ProjectId>,
}

/// That there is a comment: its key says it all.
#[derive(Serialize)]
struct Place {}

/// The key of a [`Place`].
#[derive(Deserialize)]
struct PlaceKey {
    sk: String,
}

/// That a comment was deleted, which had a place in lists that were pinned before.
#[derive(Serialize, Deserialize)]
struct Gone {
    comment: CommentId,
    expires_at: u64,
}

/// A comment as somebody sees it.
#[derive(Clone, Debug)]
pub struct CommentView {
    pub comment: Comment,
    pub author: Profile,
    pub reply_author: Option<Profile>,
    pub first_reply_author: Option<Profile>,
    pub is_up: bool,
    pub is_down: bool,
}

/// A list of comments as it was: what is written or deleted since shifts nothing in it.
#[derive(Clone, Copy)]
pub struct Snapshot {
    /// Its newest comment.
    pub newest: CommentId,
    pub at: Millis,
}

pub struct CommentPage {
    /// The newest comment that there ever was.
    pub newest: CommentId,
    /// All comments now.
    pub total: u64,
    pub comments: Vec<CommentView>,
}

/// Whether comments are shown with how their viewer voted on them.
#[derive(Clone, Copy)]
pub(super) enum Votes {
    /// On comments under this subject.
    Under(Subject),
    NotShown,
}

/// What somebody thinks of a comment.
#[derive(Clone, Copy, PartialEq)]
pub enum Vote {
    Up,
    Down,
}

impl Vote {
    fn count(self) -> &'static str {
        match self {
            Self::Up => "up_count",
            Self::Down => "down_count",
        }
    }
}

/// Somebody's vote, as it is kept.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct KeptVote {
    /// The comment's id; `comment` is a word that the table keeps for itself.
    pub target: CommentId,
    /// Or down.
    pub up: bool,
}

impl Store {
    /// Writes a comment, or with `reply_to` answers one; `thread` is what the client takes for the thread's beginning.
    /// 404 where the subject or what is answered is gone. One transaction, after a read of what is answered, or two of the
    /// ticket. The ids of a subject's comments grow in the order in which they come to be there, so that a list can be
    /// pinned by its newest.
    pub async fn publish_comment(
        &self,
        user: UserId,
        on: impl Into<Subject>,
        content: &str,
        reply_to: Option<(CommentId, Option<CommentId>)>,
    ) -> Result<CommentId, Refusal> {
        let (on, is_long) = (on.into(), content.len() > SHORT);
        let (reply, first_reply) = match reply_to {
            None => (None, None),
            Some((id, thread)) => {
                let target = self.comment(on, id).await?.ok_or(NO_COMMENT)?;
                let reply = Reply { comment: id, user: Some(target.user) };
                let first = target.first_reply.unwrap_or(reply);
                if thread.is_some_and(|thread| thread != first.comment) {
                    return Err(Refusal::Malformed(words!(
                        "send the comment that the thread began with",
                        "应为这串回复的首条评论"
                    )));
                }
                (Some(reply), Some(first))
            }
        };
        let build = |later: Option<Item>| async move {
            let head = match (later, on) {
                // Whose it is and where it is in the circle, only its head says.
                (None, Subject::Ticket(_)) => Some(self.get_raw(keys::head(on)).await?.unwrap_or_default()),
                (later, _) => later,
            };
            let last = match &head {
                Some(head) if head.is_empty() || head.contains_key("withdrawn") => {
                    return Err(Refusal::NoSuch(on.thing()));
                }
                Some(head) => {
                    let head: SubjectHead = read(head.clone())?;
                    self.check_ticket(&head).await?;
                    // A later one was there first.
                    head.last_comment
                }
                None => CommentId(0),
            };
            // Nor is it before what it answers, however far two clocks are apart.
            let last = reply.map_or(last, |reply| reply.comment.max(last));
            let id = CommentId::fresh(&self.system).max(CommentId(last.0 + 1));
            let comment = Comment {
                id,
                user,
                content: if is_long { String::new() } else { content.to_owned() },
                created_at: self.system.now(),
                reply,
                first_reply,
                up_count: 0,
                down_count: 0,
                is_long,
            };
            let entry = SaidEntry { said: id, subject: on };
            let is_answer = reply.is_some();
            let origin = Origin { subject: on, user, is_answer, content: is_long.then(|| content.to_owned()) };
            let mut actions = match (on, head) {
                (Subject::Ticket(ticket), Some(head)) => commented(ticket, &read(head)?, &comment),
                _ => vec![
                    Action::update(keys::head(on), "SET last_comment = :id ADD comment_count :one")
                        .when(format!("{SHOWN} AND {LATER}"))
                        .with(":id", number(id.0))
                        .with(":one", number(1))
                        .or_look(),
                ],
            };
            actions.extend([
                Action::put_new(keys::comment(on, id), &comment).or_again(),
                Action::put(keys::comment_place(on, id), &Place {}),
                // A comment elsewhere may have this id.
                Action::put_new(keys::comment_subject(id), &origin).or_again(),
                Action::put_new(keys::own_comment(user, id), &entry).or_again(),
            ]);
            // So that whoever leaves finds where they are named.
            let answered = answered([reply, first_reply]).into_iter();
            actions.extend(answered.map(|user| Action::put(keys::answer(user, id), &entry)));
            if let Some(reply) = reply {
                let there = Action::check(keys::comment(on, reply.comment)).when(THERE);
                actions.push(there.or_refuse(NO_COMMENT));
            }
            Ok((actions, id))
        };
        self.transact(build).await
    }

    /// A comment, without its text where that is long. One read.
    pub async fn comment(&self, on: impl Into<Subject>, id: CommentId) -> Result<Option<Comment>, Refusal> {
        self.get(keys::comment(on.into(), id)).await
    }

    /// Who wrote a comment, and under what kind of subject; none where it is gone, alone or with what it stood under. Two
    /// reads.
    pub async fn comment_author(&self, id: CommentId) -> Result<Option<(UserId, SubjectKind)>, Refusal> {
        let Some(Origin { subject, user, .. }) = self.get(keys::comment_subject(id)).await? else {
            return Ok(None);
        };
        Ok(self.get_raw(keys::head(subject)).await?.map(|_| (user, subject.kind())))
    }

    /// Deletes comments that the caller wrote, or that stand under articles of the caller's: all or, where one is
    /// neither, none (403); what is gone already is fine, as is what stands under another kind of subject: it stays. One
    /// by one, each whole, so that a repeat finishes what broke off. Two reads, and a transaction for each, for a ticket's
    /// or an answer another read before.
    pub async fn delete_comments(
        &self,
        caller: UserId,
        under: SubjectKind,
        ids: &BTreeSet<CommentId>,
    ) -> Result<(), Refusal> {
        let mut origins: HashMap<_, Origin> = self.get_each(ids.iter().copied(), keys::comment_subject).await?;
        origins.retain(|_, origin| origin.subject.kind() == under);
        let others = origins.values().filter(|origin| origin.user != caller).map(|origin| origin.subject);
        let others: BTreeSet<_> = others.collect();
        let heads: HashMap<_, SubjectHead> = self.get_each(others, keys::head).await?;
        if heads.values().any(|head| head.author != Some(caller)) {
            return Err(Refusal::NotYours);
        }
        for (id, Origin { subject, user, is_answer, .. }) in origins {
            let now = self.system.now();
            // Its place stays, for those who are paging through the list as it was.
            let gone = &Gone { comment: id, expires_at: (now + REMEMBERED) / 1000 };
            let build = |_| async move {
                let mut actions = vec![
                    // A parallel call may have deleted it.
                    Action::delete_there(keys::comment_subject(id)).or_done(),
                    Action::delete_there(keys::comment(subject, id)),
                    Action::delete(keys::own_comment(user, id)),
                    Action::delete(keys::comment_place(subject, id)),
                    Action::put(keys::comment_gone(subject, now, id), gone),
                ];
                if is_answer {
                    let comment = self.comment(subject, id).await?;
                    let answered = comment.map(|comment| answered([comment.reply, comment.first_reply]));
                    let answered = answered.into_iter().flatten();
                    actions.extend(answered.map(|user| Action::delete(keys::answer(user, id))));
                }
                match subject {
                    Subject::Ticket(ticket) => actions.extend(self.uncommented(ticket, id).await?),
                    // Or the subject is gone, and its comments with it in a moment.
                    _ => actions.insert(1, Action::add(keys::head(subject), "comment_count", -1).when(THERE).or_done()),
                }
                Ok((actions, ()))
            };
            self.transact(build).await?;
        }
        Ok(())
    }

    /// Votes on a comment; a repeat changes nothing, and the opposite vote is replaced. 404 where it is gone, or stands
    /// under another kind of subject. A read and a transaction, or two.
    pub async fn vote_on_comment(
        &self,
        user: UserId,
        under: SubjectKind,
        comment: CommentId,
        vote: Vote,
    ) -> Result<(), Refusal> {
        let origin: Option<Origin> = self.get(keys::comment_subject(comment)).await?;
        let subject =
            origin.map(|origin| origin.subject).filter(|subject| subject.kind() == under).ok_or(NO_COMMENT)?;
        let (count, up) = (vote.count(), AttributeValue::Bool(vote == Vote::Up));
        let up = &up;
        let build = |before: Option<Item>| async move {
            let before = before.filter(|item| !item.is_empty()).map(read::<KeptVote>).transpose()?;
            let head = Action::update(keys::comment(subject, comment), format!("ADD {count} :one"));
            let kept = Action::update(keys::vote(user, subject, comment), "SET up = :up, target = :target");
            let kept = kept.with(":up", up.clone()).with(":target", number(comment.0));
            let (head, kept) = match before {
                None => (head, kept.when("attribute_not_exists(up)")),
                Some(before) if before.up == (vote == Vote::Up) => return Ok((vec![], ())),
                Some(before) => {
                    let opposite = if before.up { Vote::Up } else { Vote::Down }.count();
                    let head =
                        Action::update(keys::comment(subject, comment), format!("ADD {count} :one, {opposite} :less"));
                    let before = AttributeValue::Bool(before.up);
                    (head.with(":less", number(-1)), kept.when("up = :before").with(":before", before))
                }
            };
            Ok((vec![head.when(THERE).with(":one", number(1)).or_refuse(NO_COMMENT), kept.or_look()], ()))
        };
        self.transact(build).await
    }

    /// Takes a user's vote back; of a comment that is gone nothing is counted any more. A read and a transaction.
    pub(super) async fn take_vote_back(&self, key: Key) -> Result<(), Refusal> {
        let key = &key;
        let Some(KeptVote { target, up }) = self.get(key.clone()).await? else {
            return Ok(());
        };
        let gone = || async { self.delete_all([key.clone()]).await };
        let Some(Origin { subject, .. }) = self.get(keys::comment_subject(target)).await? else {
            return gone().await;
        };
        let count = if up { Vote::Up } else { Vote::Down }.count();
        let build = |seen: Option<Item>| async move {
            if seen.is_some() {
                gone().await?;
                return Ok((vec![], ()));
            }
            let head = Action::add(keys::comment(subject, target), count, -1).when(THERE).or_look();
            let kept = Action::delete(key.clone()).when("up = :up").with(":up", AttributeValue::Bool(up)).or_done();
            Ok((vec![kept, head], ()))
        };
        self.transact(build).await
    }

    /// Of a comment that answers somebody who has left, that they were named. A read and a transaction.
    pub(super) async fn forget_answered(
        &self,
        left: UserId,
        SaidEntry { said, subject }: SaidEntry,
    ) -> Result<(), Refusal> {
        let Some(comment) = self.comment(subject, said).await? else {
            return Ok(());
        };
        let forget =
            |reply: Option<Reply>| reply.map(|reply| Reply { user: reply.user.filter(|user| *user != left), ..reply });
        let changed =
            [("reply", comment.reply), ("first_reply", comment.first_reply)].into_iter().filter_map(|(name, reply)| {
                let forgotten = forget(reply).filter(|forgotten| Some(*forgotten) != reply)?;
                Some(to_attribute_value(forgotten).map(|value| (name.to_owned(), value)).map_err(unreadable))
            });
        let set: Item = changed.collect::<Result<_, _>>()?;
        if set.is_empty() {
            return Ok(());
        }
        let update = Action::update(keys::comment(subject, said), assignments(&set, &[]));
        // It may be deleted by now.
        self.transact_once(vec![update.when(THERE).with_all(named(set)).or_done()]).await
    }

    /// A page of a subject's comments, the newest first. Two rounds; one more behind the first few.
    pub async fn comments(
        &self,
        viewer: UserId,
        on: impl Into<Subject>,
        page: Page,
    ) -> Result<Vec<CommentView>, Refusal> {
        let on = on.into();
        let comments = async {
            let range = Range::new(keys::subject(on), keys::COMMENT).newest_first();
            match page.offset {
                ..=FEW => self.items::<Comment>(range, page).await,
                passed => match self.comment_places(on, None, Page { offset: passed - 1, limit: 1 }).await?.first() {
                    Some(last) => {
                        self.items(range.after(Some(keys::comment(on, *last))), Page::first(page.limit)).await
                    }
                    None => Ok(vec![]),
                },
            }
        };
        let (head, comments) = tokio::try_join!(self.get::<SubjectHead>(keys::head(on)), comments)?;
        let head = head.filter(|head| !head.withdrawn).ok_or(Refusal::NoSuch(on.thing()))?;
        let views = self.comment_views(viewer, Votes::Under(on), comments, []);
        let ((views, _), ()) = tokio::try_join!(views, self.check_ticket(&head))?;
        Ok(views)
    }

    /// 404 where it is the head of a ticket that is withdrawn. One round where it is a ticket's.
    async fn check_ticket(&self, head: &SubjectHead) -> Result<(), Refusal> {
        match (head.batch, head.project) {
            (Some(batch), Some(project)) => {
                match self.shown_batches([(batch, project)].into_iter()).await?.is_empty() {
                    true => Err(Refusal::NoSuch(Thing::Ticket)),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// The ids of a subject's comments, the newest first, from one on: some forty bytes each, whatever was written. One
    /// query.
    async fn comment_places(
        &self,
        on: Subject,
        newest: Option<CommentId>,
        page: Page,
    ) -> Result<Vec<CommentId>, Refusal> {
        let range = Range::new(keys::subject(on), keys::COMMENT_PLACE).newest_first();
        let range = match newest {
            Some(newest) => range.up_to(keys::comment_place(on, newest).sk),
            None => range,
        };
        let places: Vec<PlaceKey> = self.items(range, page).await?;
        Ok(places.iter().filter_map(|place| keys::entry_number(&place.sk).map(CommentId)).collect())
    }

    /// A page of the list as it was then, less what was deleted since; without a snapshot, of the list now. Two rounds,
    /// and one more behind the first few. Of what was deleted since, 1,000 comments keep their places.
    pub async fn comments_as_of(
        &self,
        viewer: UserId,
        on: impl Into<Subject>,
        snapshot: Option<Snapshot>,
        page: Page,
    ) -> Result<CommentPage, Refusal> {
        let on = on.into();
        let newest = snapshot.map(|snapshot| snapshot.newest);
        let gone = async {
            let Some(Snapshot { newest, at }) = snapshot else {
                return Ok(BTreeSet::new());
            };
            let range = Range::new(keys::subject(on), keys::GONE).from(keys::gone_at(at + 1));
            let gone: Vec<Gone> = self.items(range, Page::first(MOST_GONE)).await?;
            Ok(gone.into_iter().map(|gone| gone.comment).filter(|comment| *comment <= newest).collect())
        };
        // Where the gone ones were, is known only beside the others.
        let on_page = |mut gone: BTreeSet<CommentId>, mut places: Vec<CommentId>| {
            let mut place = 0;
            places.retain(|comment| {
                place += gone.split_off(comment).len() + 1;
                (page.offset + 1..=page.end()).contains(&place)
            });
            places
        };
        let comments = async {
            let range = Range::new(keys::subject(on), keys::COMMENT).newest_first();
            let from = |newest| range.clone().up_to(keys::comment(on, newest).sk);
            if page.offset <= FEW {
                let range = newest.map_or(range.clone(), from);
                let (comments, gone) = tokio::try_join!(self.items::<Comment>(range, Page::first(page.end())), gone)?;
                let wanted = on_page(gone, comments.iter().map(|comment| comment.id).collect());
                return Ok((comments, wanted));
            }
            let (places, gone) = tokio::try_join!(self.comment_places(on, newest, Page::first(page.end())), gone)?;
            let wanted = on_page(gone, places);
            let comments = match wanted.first() {
                Some(first) => self.items(from(*first), Page::first(wanted.len())).await?,
                None => vec![],
            };
            Ok((comments, wanted))
        };
        let (head, (mut comments, wanted)) = tokio::try_join!(self.get::<SubjectHead>(keys::head(on)), comments)?;
        let head = head.ok_or(Refusal::NoSuch(on.thing()))?;
        // One may have come between the two reads.
        let newest = comments.first().map_or(head.last_comment, |comment| comment.id.max(head.last_comment));
        comments.retain(|comment| wanted.contains(&comment.id));
        let (comments, _) = self.comment_views(viewer, Votes::NotShown, comments, []).await?;
        Ok(CommentPage { newest, total: head.comment_count, comments })
    }

    /// Comments by their entries in their author's partition, with their texts; none that is gone. One round, and one more
    /// for long texts.
    pub(super) async fn comments_said(&self, entries: &[SaidEntry]) -> Result<Vec<(Subject, Comment)>, Refusal> {
        let key = |(subject, said): (Subject, CommentId)| keys::comment(subject, said);
        let said = entries.iter().map(|entry| (entry.subject, entry.said));
        let mut found = self.get_each::<_, Comment>(said.clone(), key).await?;
        let long: Vec<_> = found.values().filter(|comment| comment.is_long).map(|comment| comment.id).collect();
        let mut texts = self.get_each::<_, Origin>(long, keys::comment_subject).await?;
        let with_text = |(subject, said)| {
            let mut comment = found.remove(&(subject, said))?;
            if comment.is_long {
                comment.content = texts.remove(&said)?.content?;
            }
            Some((subject, comment))
        };
        Ok(said.filter_map(with_text).collect())
    }

    /// Comments with all that is shown of them, and the profiles of all who take part in them, and of `others`. One
    /// round.
    pub(super) async fn comment_views(
        &self,
        viewer: UserId,
        votes: Votes,
        comments: Vec<Comment>,
        others: impl IntoIterator<Item = UserId>,
    ) -> Result<(Vec<CommentView>, HashMap<UserId, Profile>), Refusal> {
        let users = comments.iter().flat_map(Comment::users).chain(others);
        let votes = async {
            let Votes::Under(on) = votes else {
                return Ok(HashMap::new());
            };
            let ids = comments.iter().map(|comment| comment.id);
            self.get_near(ids, |id| keys::vote(viewer, on, id), |vote: &KeptVote| vote.target).await
        };
        let long = comments.iter().filter(|comment| comment.is_long).map(|comment| comment.id);
        let (users, votes, mut texts) = tokio::try_join!(
            self.profiles(viewer, users),
            votes,
            self.get_each_lately::<_, Origin>(long, keys::comment_subject),
        )?;
        let view = |mut comment: Comment| {
            if comment.is_long {
                // One whose text is gone was deleted this moment.
                comment.content = texts.remove(&comment.id)?.content?;
            }
            let user = |reply: Option<Reply>| reply.and_then(|reply| users.get(&reply.user?).cloned());
            let vote = votes.get(&comment.id);
            Some(CommentView {
                author: users.get(&comment.user)?.clone(),
                reply_author: user(comment.reply),
                first_reply_author: user(comment.first_reply),
                is_up: vote.is_some_and(|vote| vote.up),
                is_down: vote.is_some_and(|vote| !vote.up),
                comment,
            })
        };
        Ok((comments.into_iter().filter_map(view).collect(), users))
    }
}

impl Comment {
    /// All whose names it takes to show it.
    fn users(&self) -> impl Iterator<Item = UserId> {
        let replies = [self.reply, self.first_reply].into_iter().flatten();
        [self.user].into_iter().chain(replies.filter_map(|reply| reply.user))
    }
}
