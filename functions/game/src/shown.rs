//! Games as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::GameView,
    wire::values::{GameNumber, MediaKey},
};

#[derive(Serialize, JsonSchema)]
pub struct ShownGame {
    game_id: GameNumber,
    name: String,
    image: MediaKey,
    intro: String,
    /// Milliseconds since 1970.
    created_at: u64,
    is_collect: bool,
}

impl From<GameView> for ShownGame {
    fn from(seen: GameView) -> Self {
        let game = seen.game.record;
        Self {
            game_id: GameNumber(game.game_id),
            name: game.name,
            image: MediaKey(game.image),
            intro: game.intro,
            created_at: seen.game.created_at,
            is_collect: seen.is_collect,
        }
    }
}
