//! Users: who they are, and which phone, e-mail or identity leads to them.
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::{from_item, to_attribute_value, to_item};

use super::{
    Item, Outcome, ProvedCode, Refused, Store, TRIES, keys, named, number, read, sessions::Auth, unreadable, values,
};
use crate::domain::{Email, Gender, MediaId, Millis, Phone, Refusal, StoredPassword, UserId};

/// What is known of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub id: UserId,
    pub created_at: Millis,
    pub nickname: String,
    /// Only users whom an operator brought have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// The one that logs in: it was proved by SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// One that the user gave without proof: shown, until somebody proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The avatar in two sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_avatar: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<String>,
    /// Looks for work (1) or not (0): document A's attribute.
    #[serde(default)]
    pub job_status: u8,
}

/// Who a name belongs to.
#[derive(Serialize, Deserialize)]
struct Holder {
    holder: UserId,
}

/// What first leads to a user.
pub enum CameBy {
    Phone(ProvedCode),
    /// The provider's name, and the user's there.
    ThirdParty(&'static str, String),
}

/// What to change of a profile; `None` leaves it.
#[derive(Default)]
pub struct Changes {
    pub nickname: Option<String>,
    pub gender: Option<Gender>,
    pub intro: Option<String>,
    pub job_status: Option<u8>,
    pub avatar: Option<MediaId>,
    pub large_avatar: Option<MediaId>,
    pub email: Option<Email>,
    pub phone: Option<PhoneChange>,
}

pub enum PhoneChange {
    /// Shown, but logs nobody in.
    Claimed(Phone),
    /// In place of the one before.
    Proved(ProvedCode),
}

const FREE: &str = "attribute_not_exists(pk)";
const FREE_OR_MINE: &str = "attribute_not_exists(pk) OR holder = :me";

impl Store {
    /// The user whom a phone, e-mail, name or identity leads to.
    pub(super) async fn whose(&self, key: keys::Key) -> Result<Option<UserId>, Refusal> {
        Ok(self.get::<Holder>(key).await?.map(|found| found.holder))
    }

    /// One transaction: the user is there with all that leads to them, and the code is used up, or nothing happened.
    pub async fn create_user(&self, by: &CameBy, password: Option<StoredPassword>) -> Result<Profile, Refusal> {
        loop {
            let id = UserId::fresh(&self.world);
            let holder = Holder { holder: id };
            let phone = match by {
                CameBy::Phone(code) => Some(code.phone.clone()),
                CameBy::ThirdParty(..) => None,
            };
            let profile = Profile {
                id,
                created_at: self.world.now(),
                nickname: self.nickname(),
                username: None,
                gender: None,
                phone,
                claimed_phone: None,
                email: None,
                avatar: None,
                large_avatar: None,
                intro: None,
                job_status: 0,
            };
            let auth = Auth { password: password.clone(), ..Auth::default() };
            let mut actions = vec![
                self.put_action(keys::profile(id), &profile, FREE, None)?,
                self.put_action(keys::auth(id), &auth, FREE, None)?,
            ];
            match by {
                CameBy::Phone(code) => {
                    actions.push(self.use_code(code)?);
                    actions.push(self.put_action(keys::phone(&code.phone), &holder, FREE, None)?);
                }
                CameBy::ThirdParty(provider, openid) => {
                    actions.push(self.put_action(keys::third_party(provider, openid), &holder, FREE, None)?);
                }
            }
            return match (self.transact(actions).await?, by) {
                (Ok(()), _) => Ok(profile),
                // Another user was made in this millisecond and drew the same chance.
                (Err(Refused { at: 0 | 1, .. }), _) => continue,
                (Err(Refused { at: 2, .. }), CameBy::Phone(code)) => Err(Refusal::SmsCode(code.field)),
                (Err(_), CameBy::Phone(_)) => Err(Refusal::PhoneTaken),
                (Err(_), CameBy::ThirdParty(..)) => Err(Refusal::Conflict("somebody has just come that way")),
            };
        }
    }

    /// The user of a third party's identity, made at the first time, and whether this was it.
    pub async fn user_of_third_party(&self, provider: &'static str, openid: &str) -> Result<(UserId, bool), Refusal> {
        let key = keys::third_party(provider, openid);
        if let Some(user) = self.whose(key.clone()).await? {
            return Ok((user, false));
        }
        match self.create_user(&CameBy::ThirdParty(provider, openid.to_owned()), None).await {
            Ok(profile) => Ok((profile.id, true)),
            // Two first times at once: the other one made the user.
            Err(Refusal::Conflict(_)) => Ok((self.whose(key).await?.ok_or(Refusal::Unavailable)?, false)),
            Err(no) => Err(no),
        }
    }

    /// `nick-` and eight letters and digits, which tell nothing of the phone.
    fn nickname(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let letters = self.world.random::<8>().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        format!("nick-{}", letters.iter().collect::<String>())
    }

    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>, Refusal> {
        self.get(keys::profile(user)).await
    }

    /// What document E calls a user by: their name, or their phone, one that logs in before one that does not.
    pub async fn username(&self, profile: &Profile) -> Result<Option<String>, Refusal> {
        match (&profile.username, &profile.phone) {
            (Some(name), _) => Ok(Some(name.clone())),
            (None, Some(proved)) => Ok(Some(proved.to_string())),
            (None, None) => Ok(self.shown_phone(profile).await?.map(|phone| phone.to_string())),
        }
    }

    /// The phone that a user's own pages show: the claimed one, unless somebody else has proved it since.
    pub async fn shown_phone(&self, profile: &Profile) -> Result<Option<Phone>, Refusal> {
        match &profile.claimed_phone {
            Some(claimed) if self.whose(keys::phone(claimed)).await?.is_none() => Ok(Some(claimed.clone())),
            _ => Ok(profile.phone.clone()),
        }
    }

    /// Changes a profile and gives it back as it is now. One round; two where the phone or the e-mail changes, for
    /// what held the old one is let go in the same transaction.
    pub async fn change_profile(&self, user: UserId, changes: Changes) -> Result<Profile, Refusal> {
        let mut set = Item::new();
        let mut put =
            |name: &str, value: Option<AttributeValue>| set.extend(value.map(|value| (name.to_owned(), value)));
        put("nickname", changes.nickname.map(AttributeValue::S));
        put("gender", changes.gender.map(to_attribute_value).transpose().map_err(unreadable)?);
        put("intro", changes.intro.map(AttributeValue::S));
        put("job_status", changes.job_status.map(number));
        put("avatar", changes.avatar.map(|id| AttributeValue::S(id.0)));
        put("large_avatar", changes.large_avatar.map(|id| AttributeValue::S(id.0)));
        if changes.email.is_some() || changes.phone.is_some() {
            return self.change_names(user, set, changes.email, changes.phone).await;
        }
        if set.is_empty() {
            return self.get(keys::profile(user)).await?.ok_or(Refusal::NotSignedIn);
        }
        let update = self
            .update(keys::profile(user), assignments(&set, None))
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values(Some(named(set)));
        match self.change(update).await? {
            Outcome::Done(item) => read(item),
            Outcome::Refused(_) => Err(Refusal::NotSignedIn),
        }
    }

    /// The part of [`Store::change_profile`] where names that are unique change hands.
    async fn change_names(
        &self,
        user: UserId,
        plain: Item,
        email: Option<Email>,
        phone: Option<PhoneChange>,
    ) -> Result<Profile, Refusal> {
        let me = || values([(":me", number(user.0))]);
        let holder = Holder { holder: user };
        for _ in 0..TRIES {
            let old: Profile = self.get(keys::profile(user)).await?.ok_or(Refusal::NotSignedIn)?;
            let mut set = plain.clone();
            // What each action's failure means; the profile's own comes last.
            let (mut actions, mut meanings) = (vec![], vec![]);
            let mut act = |action, meaning| {
                actions.push(action);
                meanings.push(meaning);
            };
            let mut remove = None;
            match &phone {
                Some(PhoneChange::Proved(code)) => {
                    act(self.use_code(code)?, Some(Refusal::SmsCode(code.field)));
                    let taken = Some(Refusal::PhoneTaken);
                    act(self.put_action(keys::phone(&code.phone), &holder, FREE_OR_MINE, me())?, taken);
                    if let Some(old) = old.phone.as_ref().filter(|old| **old != code.phone) {
                        act(self.delete_action(keys::phone(old), FREE_OR_MINE, me())?, None);
                    }
                    set.insert("phone".into(), to_attribute_value(&code.phone).map_err(unreadable)?);
                    remove = Some("claimed_phone");
                }
                Some(PhoneChange::Claimed(phone)) if Some(phone) == old.phone.as_ref() => {
                    remove = Some("claimed_phone")
                }
                Some(PhoneChange::Claimed(phone)) => {
                    act(self.check_action(keys::phone(phone), FREE, None)?, Some(Refusal::PhoneTaken));
                    set.insert("claimed_phone".into(), to_attribute_value(phone).map_err(unreadable)?);
                }
                None => {}
            }
            if let Some(email) = &email {
                if old.email.as_ref() != Some(email) {
                    let taken = Some(Refusal::EmailTaken);
                    act(self.put_action(keys::email(email), &holder, FREE_OR_MINE, me())?, taken);
                    if let Some(old) = &old.email {
                        act(self.delete_action(keys::email(old), FREE_OR_MINE, me())?, None);
                    }
                }
                set.insert("email".into(), AttributeValue::S(email.as_str().into()));
            }

            let mut whole: Item = to_item(&old).map_err(unreadable)?;
            let mut values = named(set.clone());
            let mut unchanged = "attribute_exists(pk)".to_owned();
            for name in ["phone", "email"] {
                unchanged += &match whole.get(name) {
                    Some(value) => {
                        values.insert(format!(":old_{name}"), value.clone());
                        format!(" AND {name} = :old_{name}")
                    }
                    None => format!(" AND attribute_not_exists({name})"),
                };
            }
            let values = Some(values).filter(|values| !values.is_empty());
            act(self.update_action(keys::profile(user), assignments(&set, remove), unchanged, values)?, None);
            match self.transact(actions).await? {
                Ok(()) => {
                    whole.extend(set);
                    remove.map(|name| whole.remove(name));
                    return from_item(whole).map_err(unreadable);
                }
                Err(Refused { at, .. }) => match meanings.swap_remove(at) {
                    Some(no) => return Err(no),
                    // The user's own names changed while we looked: look again.
                    None => continue,
                },
            }
        }
        Err(Refusal::Unavailable)
    }
}

/// `SET a = :a, b = :b REMOVE c`.
fn assignments(set: &Item, remove: Option<&str>) -> String {
    let set: Vec<_> = set.keys().map(|name| format!("{name} = :{name}")).collect();
    let set = (!set.is_empty()).then(|| format!("SET {}", set.join(", ")));
    let remove = remove.map(|name| format!("REMOVE {name}"));
    [set, remove].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
