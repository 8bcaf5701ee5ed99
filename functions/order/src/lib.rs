//! Document D: shopping carts and orders.
mod my_order_list;
mod order_cancel;
mod order_create;
mod order_create_by_shopping_cart;
mod order_detail;
mod order_pay;
mod shopping_cart_add;
mod shopping_cart_del;
mod shopping_cart_info;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<my_order_list::MyOrderList>()
        .add::<order_cancel::OrderCancel>()
        .add::<order_create::OrderCreate>()
        .add::<order_create_by_shopping_cart::OrderCreateByShoppingCart>()
        .add::<order_detail::OrderDetail>()
        .add::<order_pay::OrderPay>()
        .add::<shopping_cart_add::ShoppingCartAdd>()
        .add::<shopping_cart_del::ShoppingCartDel>()
        .add::<shopping_cart_info::ShoppingCartInfo>()
}
