//! What each record does.
use std::collections::BTreeSet;

use shared::{
    App,
    domain::{Password, Refusal, StoredPassword, Thing},
    off_thread,
    store::{Changes, Gift, Imported, SignUp},
};
use tokio::sync::Semaphore;

use crate::Record;

impl Record {
    /// Whether tickets or a message are as the record says; of everything else, [`Record::import`] finds that out.
    pub async fn is_so(&self, app: &App) -> Result<bool, Refusal> {
        match self {
            Self::Tickets { batch, withdrawn } => app.store.are_tickets_made(batch, *withdrawn).await,
            Self::Message { message, withdrawn } => app.store.is_operators_message(message, *withdrawn).await,
            _ => Ok(false),
        }
    }

    /// Makes things as the record says. A refusal names the field to mend.
    pub async fn import(self, app: &App) -> Result<Imported, Refusal> {
        let store = &app.store;
        match self {
            Self::Banner { place, banner, withdrawn } => store.import_banner(place, &banner, withdrawn).await,
            Self::Master { master, withdrawn } => store.import(&master, withdrawn).await,
            Self::Merchant { merchant, withdrawn } => store.import(&merchant, withdrawn).await,
            Self::Cloth { cloth, withdrawn } => store.import(&cloth, withdrawn).await.map_err(blame("merchant_id")),
            Self::Game { game, withdrawn } => store.import(&game, withdrawn).await,
            Self::Project { project, withdrawn } => store.import(&project, withdrawn).await.map_err(blame("master_id")),
            Self::Tickets { batch, withdrawn } => match store.import_tickets(&batch, withdrawn).await {
                Err(no @ Refusal::NoSuch(_)) => Err(blame("project_id")(no)),
                other => other.map_err(blame("ticket_id")),
            },
            Self::User { username, nickname, password } => user(app, username, nickname, password).await,
            Self::Reviewer { account, password } => reviewer(app, account, password).await,
            Self::Review { version, withdrawn } => match (store.is_under_review(&version).await?, withdrawn) {
                (false, false) => store.put_under_review(&version).await.map(|()| Imported::Written),
                (true, true) => store.end_review(&version).await.map(|()| Imported::Written),
                _ => Ok(Imported::Unchanged),
            },
            Self::Vip { grant_id, user, days } => {
                store.grant_vip(&grant_id, user, days).await.map(written).map_err(blame_entry("grant_id"))
            }
            Self::Gift { gift_id, to, from, code, count, value } => {
                let gift = Gift { id: &gift_id, to, from, code: &code, count, value };
                match store.give_gift(&gift).await {
                    Err(no @ Refusal::NoSuch(_)) => match store.profile(to).await? {
                        Some(_) => Err(blame("from_user_id")(no)),
                        None => Err(blame("user_id")(no)),
                    },
                    given => given.map(written).map_err(blame_entry("gift_id")),
                }
            }
            Self::Message { message, withdrawn } => match store.import_message(&message, withdrawn).await {
                Err(no @ Refusal::NoSuch(Thing::User)) => Err(blame("to_user_id")(no)),
                Err(no @ Refusal::NoSuch(_)) => Err(blame("from_id")(no)),
                other => other.map_err(blame("record_id")),
            },
            Self::Lock { user, locked } => store.lock_user(user, locked).await.map_err(blame("user_id")),
            Self::Erase(user) => store.leave(user, None).await.map(written),
            // Each as if its author had deleted it; what is gone is gone.
            Self::Article(id) => match store.article_author(id).await? {
                Some(author) => store.delete_articles(author, &BTreeSet::from([id])).await.map(|()| Imported::Written),
                None => Ok(Imported::Unchanged),
            },
            Self::Comment(id) => match store.comment_author(id).await? {
                Some((author, under)) => {
                    store.delete_comments(author, under, &BTreeSet::from([id])).await.map(|()| Imported::Written)
                }
                None => Ok(Imported::Unchanged),
            },
            Self::Picture(id) => match store.picture(id).await? {
                Some(picture) => {
                    // The object goes first: what ends half way, a repeat can still find and finish.
                    app.media().withdraw(std::slice::from_ref(&picture.media)).await?;
                    store.remove_picture(&picture).await.map(|()| Imported::Written)
                }
                None => Ok(Imported::Unchanged),
            },
            Self::Gallery(id) => match store.gallery_owner(id).await? {
                Some(owner) => app.delete_gallery(owner, id).await.map(|()| Imported::Written),
                None => Ok(Imported::Unchanged),
            },
        }
    }
}

/// Who has the name is left as they are, but for a nickname that the operator has changed: their password is theirs.
async fn user(app: &App, username: String, nickname: String, password: Password) -> Result<Imported, Refusal> {
    if let Some(known) = app.store.import_nickname(&username, &nickname).await? {
        return Ok(known);
    }
    let password = hashed(app, password).await?;
    let first = Changes { nickname: Some(nickname.clone()), ..Changes::default() };
    match app.store.create_user(&SignUp::Name(username.clone()), Some(password), first).await {
        Ok(_) => Ok(Imported::Written),
        // Another import was quicker.
        Err(Refusal::Conflict(_)) => app.store.import_nickname(&username, &nickname).await?.ok_or(Refusal::Unavailable),
        Err(no) => Err(no),
    }
}

/// A review account's password is the operator's.
async fn reviewer(app: &App, account: String, password: Password) -> Result<Imported, Refusal> {
    let Some((user, stored)) = app.store.reviewer(&account).await? else {
        let password = hashed(app, password).await?;
        let made = app.store.create_user(&SignUp::Review(account), Some(password), Changes::default()).await;
        return made.map(|_| Imported::Written).map_err(blame("account"));
    };
    let (is_same, password) = hashing(move || {
        let is_same = StoredPassword::verify(stored.as_ref(), &password);
        Ok((is_same, password))
    })
    .await?;
    if is_same {
        return Ok(Imported::Unchanged);
    }
    let password = hashed(app, password).await?;
    app.store.set_password(user, &password).await.map(|()| Imported::Written)
}

async fn hashed(app: &App, password: Password) -> Result<StoredPassword, Refusal> {
    let salt = app.system.random();
    hashing(move || StoredPassword::hash(&password, salt)).await
}

/// Few at once: each takes 19 MiB.
async fn hashing<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    static TURNS: Semaphore = Semaphore::const_new(4);
    let _turn = TURNS.acquire().await.map_err(|_| Refusal::Internal)?;
    off_thread(work).await
}

fn written(is_new: bool) -> Imported {
    if is_new { Imported::Written } else { Imported::Unchanged }
}

/// The same where what is in conflict is an id of the operators', and what is missing a user.
fn blame_entry(id: &'static str) -> impl Fn(Refusal) -> Refusal {
    move |no| match no {
        Refusal::Conflict(_) => blame(id)(no),
        no => blame("user_id")(no),
    }
}

/// Names the field that a refusal is about; what failed on our side is about none.
fn blame(field: &'static str) -> impl Fn(Refusal) -> Refusal {
    move |no| match no {
        Refusal::NoSuch(_) | Refusal::Conflict(_) => Refusal::In(field, Box::new(no)),
        no => no,
    }
}
