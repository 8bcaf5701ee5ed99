//! Document A: galleries of pictures, and what we add to fill them.
mod shown;
mod user_pic_delete;
mod user_pic_detail;
mod user_pic_dir_create;
mod user_pic_dir_delete;
mod user_pic_dir_heartbeat_add;
mod user_pic_dir_heartbeat_list;
mod user_pic_dir_heartbeat_remove;
mod user_pic_dir_list;
mod user_pic_dir_pic_list;
mod user_pic_list;
mod user_pic_upload;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<user_pic_delete::UserPicDelete>()
        .add::<user_pic_detail::UserPicDetail>()
        .add::<user_pic_dir_create::UserPicDirCreate>()
        .add::<user_pic_dir_delete::UserPicDirDelete>()
        .add::<user_pic_dir_heartbeat_add::UserPicDirHeartbeatAdd>()
        .add::<user_pic_dir_heartbeat_list::UserPicDirHeartbeatList>()
        .add::<user_pic_dir_heartbeat_remove::UserPicDirHeartbeatRemove>()
        .add::<user_pic_dir_list::UserPicDirList>()
        .add::<user_pic_dir_pic_list::UserPicDirPicList>()
        .add::<user_pic_list::UserPicList>()
        .add::<user_pic_upload::UserPicUpload>()
}
