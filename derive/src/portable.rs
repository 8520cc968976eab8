//! `PortableState`: a struct as the fields that every language knows.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Expr, Field, Fields, Ident, LitStr, Type};

/// A field of the state.
struct StateField<'a> {
    member: &'a Ident,
    ty: &'a Type,
    name: String,
    default: Option<TokenStream>,
}

/// The impls of a struct.
pub(crate) fn state(input: &DeriveInput) -> Result<TokenStream, Error> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            other => return Err(Error::new(other.span(), UNNAMED)),
        },
        Data::Enum(data) => return Err(Error::new(data.enum_token.span(), UNNAMED)),
        Data::Union(data) => return Err(Error::new(data.union_token.span(), UNNAMED)),
    };
    let mut read: Vec<StateField<'_>> = Vec::new();
    for field in fields {
        let field = state_field(field)?;
        if let Some(other) = read.iter().find(|other| other.name == field.name) {
            let message = format!("`{}` is already called `{}` in the state", other.member, field.name);
            return Err(Error::new(field.member.span(), message));
        }
        read.push(field);
    }
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let (write, read) = (read.iter().map(write_field), read.iter().map(read_field));
    Ok(quote! {
        const _: () = {
            #[automatically_derived]
            impl #impl_generics ractor::reload::PortableState for #ident #ty_generics #where_clause {
                fn write_fields(
                    &self,
                    __fields: &mut ractor::reload::FieldsWriter,
                ) -> ::core::result::Result<(), ractor::reload::PortableError> {
                    #(#write)*
                    ::core::result::Result::Ok(())
                }

                fn read_fields(
                    __fields: &mut ractor::reload::FieldsReader,
                ) -> ::core::result::Result<Self, ractor::reload::PortableError> {
                    ::core::result::Result::Ok(Self { #(#read)* })
                }
            }

            #[automatically_derived]
            impl #impl_generics ractor::reload::KeptState for #ident #ty_generics #where_clause {
                fn keep(
                    &self,
                ) -> ::core::result::Result<::std::vec::Vec<::core::primitive::u8>, ractor::reload::StateError> {
                    let __kept = <Self as ractor::reload::PortableState>::to_portable(self);
                    ::core::result::Result::map_err(__kept, ::core::convert::From::from)
                }

                fn restore(
                    __bytes: &[::core::primitive::u8],
                ) -> ::core::result::Result<Self, ractor::reload::StateError> {
                    let __restored = <Self as ractor::reload::PortableState>::from_portable(__bytes);
                    ::core::result::Result::map_err(__restored, ::core::convert::From::from)
                }
            }
        };
    })
}

const UNNAMED: &str = "a portable state is a struct with named fields: other languages find each by its name";

fn state_field(field: &Field) -> Result<StateField<'_>, Error> {
    let member = field.ident.as_ref().ok_or_else(|| Error::new(field.span(), UNNAMED))?;
    let mut name = member.unraw().to_string();
    let mut default = None;
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("portable"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("default") {
                default = Some(if meta.input.peek(syn::Token![=]) {
                    let expression: Expr = meta.value()?.parse()?;
                    quote!(|| #expression)
                } else {
                    quote!(::core::default::Default::default)
                });
            } else {
                return Err(meta.error("known are `name = \"…\"`, `default` and `default = EXPRESSION`"));
            }
            Ok(())
        })?;
    }
    Ok(StateField {
        member,
        ty: &field.ty,
        name,
        default,
    })
}

fn write_field(field: &StateField<'_>) -> TokenStream {
    let StateField { member, ty, name, .. } = field;
    // Where the type is none of a state, the error points at it.
    quote_spanned! {ty.span()=>
        ractor::reload::FieldsWriter::write::<#ty>(__fields, #name, &self.#member)?;
    }
}

fn read_field(field: &StateField<'_>) -> TokenStream {
    let StateField {
        member,
        ty,
        name,
        default,
    } = field;
    match default {
        Some(default) => quote! {
            #member: ractor::reload::FieldsReader::read_or::<#ty>(__fields, #name, #default)?,
        },
        None => quote! {
            #member: ractor::reload::FieldsReader::read::<#ty>(__fields, #name)?,
        },
    }
}
