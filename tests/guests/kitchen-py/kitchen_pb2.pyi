from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Order(_message.Message):
    __slots__ = ("id", "quantity", "items", "blob")
    ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    id: str
    quantity: int
    items: _containers.RepeatedScalarFieldContainer[str]
    blob: bytes
    def __init__(self, id: _Optional[str] = ..., quantity: _Optional[int] = ..., items: _Optional[_Iterable[str]] = ..., blob: _Optional[bytes] = ...) -> None: ...
