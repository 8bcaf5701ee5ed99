//! Document D: merchants and their clothes.
mod merchant_cloth_collect;
mod merchant_cloth_detail;
mod merchant_cloth_list;
mod merchant_cloth_recommend_list;
mod merchant_cloth_uncollect;
mod merchant_follow;
mod merchant_unfollow;
mod my_following_merchants;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<merchant_cloth_collect::MerchantClothCollect>()
        .add::<merchant_cloth_detail::MerchantClothDetail>()
        .add::<merchant_cloth_list::MerchantClothList>()
        .add::<merchant_cloth_recommend_list::MerchantClothRecommendList>()
        .add::<merchant_cloth_uncollect::MerchantClothUncollect>()
        .add::<merchant_follow::MerchantFollow>()
        .add::<merchant_unfollow::MerchantUnfollow>()
        .add::<my_following_merchants::MyFollowingMerchants>()
}
