use shared::wire::{
    dialect::B,
    operation::*,
    values::{MediaKey, NamedUser},
};

use crate::shown::shown;

/// Read what a member shows or plays before a chat (document B).
#[derive(Deserialize, JsonSchema)]
pub struct MUserUserChatMedia {
    chat_type: ChatType,
    user_id: NamedUser,
}

/// Which chat.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ChatType {
    VideoChat,
    AudioChat,
}

#[derive(Serialize, JsonSchema)]
pub struct ChatMedia {
    /// Null where the member has none.
    key: Option<MediaKey>,
    r#type: ChatMediaType,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ChatMediaType {
    Video,
    Audio,
}

impl Operation for MUserUserChatMedia {
    type Dialect = B;
    type Caller = Reader;
    type Response = ChatMedia;
    const ROUTE: Route = Route::get("/m_user/user_chat_media");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<ChatMedia, Refusal> {
        let user = app.store.profile(self.user_id.0).await?.ok_or(Refusal::NoSuch(Thing::User))?;
        let (id, r#type) = match self.chat_type {
            ChatType::VideoChat => (&user.video_chat, ChatMediaType::Video),
            ChatType::AudioChat => (&user.audio_chat, ChatMediaType::Audio),
        };
        let [media] = shown(app, user.id, [id]).await?;
        Ok(ChatMedia { key: media.map(|media| MediaKey(media.id)), r#type })
    }
}
