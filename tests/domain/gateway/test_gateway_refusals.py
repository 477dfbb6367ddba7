"""Every value that does not fit is refused with the place where it stands."""

import pytest
from gateway_contract import EVERYTHING, Everything

from gateway.codec.decode import Decoder
from gateway.codec.errors import BadValue
from gateway.codec.json_text import loads

FILL = Decoder().of(EVERYTHING)


def refused(body: bytes) -> BadValue:
    with pytest.raises(BadValue) as caught:
        FILL(Everything(), loads(body))
    return caught.value


@pytest.mark.parametrize(
    ("body", "path", "says"),
    [
        ('{"nope": 1}', "nope", "not a field"),
        ('{"child": {"nope": 1}}', "child.nope", "not a field"),
        ('{"children": [{}, {"smallInt": "1"}]}', "children[1].smallInt", "whole number"),
        ('{"small_int": true}', "small_int", "whole number"),
        ('{"small_int": 1.0}', "small_int", "whole number"),
        ('{"small_int": 1e2}', "small_int", "whole number"),
        ('{"small_int": 2147483648}', "small_int", "between"),
        ('{"small_uint": -1}', "small_uint", "between"),
        ('{"big_int": "9223372036854775808"}', "big_int", "between"),
        ('{"big_int": "1_0"}', "big_int", "whole number"),
        ('{"big_int": " 1"}', "big_int", "whole number"),
        ('{"number": NaN}', "number", "finite"),
        ('{"number": -Infinity}', "number", "finite"),
        ('{"number": 1e999}', "number", "finite"),
        ('{"number": "1"}', "number", "number"),
        ('{"number": false}', "number", "number"),
        ('{"single": 1e39}', "single", "32-bit"),
        ('{"flag": 1}', "flag", "true or false"),
        ('{"flag": "true"}', "flag", "true or false"),
        ('{"text": 1}', "text", "must be a text"),
        ('{"text": NaN}', "text", "must be a text"),
        ('{"text": "a\\u0000b"}', "text", "U+0000"),
        ('{"text": "\\ud800"}', "text", "Unicode"),
        ('{"data": "not base64!"}', "data", "base64"),
        ('{"data": "\u00e9"}', "data", "base64"),
        ('{"colour": "Green"}', "colour", "must be one of DarkRed, Blue"),
        ('{"colour": 1}', "colour", "must be one of"),
        ('{"colour": "1"}', "colour", "must be one of"),
        ('{"colours": ["Blue", null]}', "colours[1]", "must be one of"),
        ('{"child": []}', "child", "must be an object"),
        ('{"texts": "a"}', "texts", "must be a list"),
        ('{"texts": {"0": "a"}}', "texts", "must be a list"),
        ('{"children": [null]}', "children[0]", "must be an object"),
        ('{"counts": {"a": "x"}}', "counts.a", "whole number"),
        ('{"counts": {"a": null}}', "counts.a", "whole number"),
        ('{"by_flag": {"yes": {}}}', "by_flag.yes", "true or false"),
        ('{"moments_by_number": {"1": "today"}}', "moments_by_number.1", "RFC 3339"),
        ('{"first_choice": "a", "second_choice": 1}', "second_choice", "given twice"),
        ('{"text": "a", "text": "b"}', "text", "given twice"),
        ('{"child": {"flag": true, "flag": true}}', "child.flag", "given twice"),
        ('{"small_int": 1, "smallInt": 1}', "smallInt", "given twice"),
        ('{"counts": {"a": 1, "a": 2}}', "counts.a", "given twice"),
        ('{"document": {"a": {"b": 1, "b": 2}}}', "document.a.b", "given twice"),
        ('{"document": {"a": [NaN]}}', "document.a[0]", "finite"),
        ('{"document": []}', "document", "must be an object"),
        ('{"moment": "2025-06-18"}', "moment", "RFC 3339"),
        ('{"moment": "2025-06-18T09:00:00"}', "moment", "RFC 3339"),
        ('{"moment": "2025-02-30T09:00:00Z"}', "moment", "calendar"),
        ('{"moment": "2025-06-18T09:00:60Z"}', "moment", "calendar"),
        ('{"moment": "2025-06-18T09:00:00+99:00"}', "moment", "calendar"),
        ('{"moment": "0001-01-01T00:00:00+10:00"}', "moment", "years 1 and 9999"),
        ('{"moment": 1750237200}', "moment", "RFC 3339"),
        ('{"moment": "\u0662\u0660\u0662\u0665-06-18T09:00:00Z"}', "moment", "RFC 3339"),
        ('{"day": "2025-02-30"}', "day", "calendar"),
        ('{"day": "18.06.2025"}', "day", "2025-06-18"),
        ('{"day": {"year": 2025}}', "day", "2025-06-18"),
        ('{"wall": "9:00"}', "wall", "09:00"),
        ('{"wall": "24:01"}', "wall", "00:00 and 24:00"),
        ('{"wall": "23:60"}', "wall", "00:00 and 24:00"),
        ('{"child": {"wall": 900}}', "child.wall", "09:00"),
        ('{"length": "3"}', "length", "seconds"),
        ('{"length": "999999999999s"}', "length", "seconds"),
        ('{"wrapped_int": "x"}', "wrapped_int", "whole number"),
        ("[]", "", "must be an object"),
        ('"text"', "", "must be an object"),
        ('{"text": "a"', "", "not JSON"),
        ("{'text': 1}", "", "not JSON"),
        ('{"text": "a"} {}', "", "not JSON"),
        ('{"small_int": ' + "9" * 5000 + "}", "", "too long"),
        ('{"small_int": 01}', "", "not JSON"),
    ],
)
def test_a_bad_value_is_refused_by_its_path(body, path, says):
    error = refused(body.encode())
    assert error.path == path
    assert says in error.description


def test_the_refusal_never_quotes_the_value():
    error = refused(b'{"small_int": "Jane Doe"}')
    assert "Jane" not in str(error.refusal())


def test_deep_nesting_is_refused_by_its_path_before_the_parser_sees_it():
    error = refused(b'{"child": {"document": {"k": ' + b"[" * 60_000)
    assert error.path == "child.document.k"
    assert "20 levels" in error.description


def test_brackets_inside_texts_are_not_nesting():
    message = Everything()
    FILL(message, loads(b'{"text": "' + b"[{" * 100 + b'\\"[", "flag": true}'))
    assert message.flag


def test_twenty_levels_are_still_read():
    body = b'{"anything": ' + b"[" * 19 + b"]" * 19 + b"}"
    FILL(Everything(), loads(body))
    assert refused(body.replace(b"[]", b"[[]]")).path == "anything"


def test_a_long_path_is_cut():
    assert len(refused(b'{"' + b"a" * 5000 + b'": 1}').path) < 250


def test_bytes_that_are_not_utf8_are_refused():
    assert "UTF-8" in refused(b'{"text": "\xff"}').description
    assert "JSON" in refused(b"\xef\xbb\xbf{}").description


def test_whoever_names_no_field_is_told_the_fields_there_are():
    told = refused(b'{"child": {"nope": 1}}').description
    assert all(field.name in told for field in EVERYTHING.fields_by_name["child"].message_type.fields)
