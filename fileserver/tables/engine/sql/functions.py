"""What expressions may call. A function that is not named here does not exist for them.

Allowed is what is pure: the same values give the same answer on every machine and on every day. So there is no random,
no now and no current_date (write the date itself), nothing that reads settings, files or the catalogue, nothing that
sleeps, and nothing that takes code of the user. Memory that a call asks for is bounded by the limits of the process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

# What an expression yields, as far as it is seen without the engine. `text` is a value that comes from the table and
# may hold anything, `string` one that the user wrote (the engine reads it as the type that is needed).
Kind: TypeAlias = Literal["text", "string", "number", "truth", "moment", "any"]
Gives: TypeAlias = Kind | Literal["same"]  # same: as the first argument that is no string


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` says what its arguments must be, if not text; `gives` what comes out."""

    takes: Literal["number", "moment", "truth", "any"]
    gives: Gives


_Table: TypeAlias = Mapping[tuple[Literal["number", "moment", "truth", "any"], Gives], str]

_SCALARS: _Table = {
    ("any", "text"): (
        "upper ucase lower lcase trim ltrim rtrim replace left right substr substring substring_grapheme left_grapheme "
        "right_grapheme lpad rpad repeat reverse concat concat_ws translate overlay split_part regexp_replace "
        "regexp_extract regexp_escape strip_accents nfc_normalize md5 sha1 sha256 hex to_hex bin to_binary url_encode "
        "url_decode printf format parse_filename parse_dirname parse_dirpath to_base"
    ),
    ("any", "number"): (
        "length len char_length character_length length_grapheme strlen octet_length bit_length strpos instr position "
        "ascii unicode ord levenshtein editdist3 damerau_levenshtein hamming mismatches jaccard jaro_similarity "
        "jaro_winkler_similarity"
    ),
    ("any", "truth"): (
        "contains starts_with ends_with prefix suffix regexp_matches regexp_full_match like_escape not_like_escape "
        "ilike_escape not_ilike_escape"
    ),
    ("number", "text"): "chr format_bytes",
    ("number", "number"): (
        "abs ceil ceiling floor round round_even roundbankers trunc sign sqrt cbrt exp ln log log2 log10 pow power mod "
        "fmod fdiv sin cos tan cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh degrees radians pi factorial "
        "gcd lcm greatest_common_divisor least_common_multiple even gamma lgamma bit_count xor nextafter add subtract "
        "multiply divide"
    ),
    ("number", "truth"): "isnan isinf isfinite signbit",
    ("number", "moment"): (
        "make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns to_timestamp to_millennia to_centuries "
        "to_decades to_years to_quarters to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds "
        "to_microseconds"
    ),
    ("moment", "number"): (
        "year month day hour minute second millisecond microsecond nanosecond quarter week weekday weekofyear isodow "
        "isoyear dayofweek dayofmonth dayofyear century decade millennium era yearweek julian epoch epoch_us epoch_ns "
        "date_part datepart date_diff datediff date_sub datesub days_in_month"
    ),
    ("moment", "moment"): "date_trunc datetrunc last_day date_add time_bucket timezone",
    ("moment", "text"): "strftime dayname monthname",
    ("any", "moment"): "strptime try_strptime",
    ("any", "any"): "epoch_ms",
    ("any", "same"): "greatest least",
}
_AGGREGATES: _Table = {
    ("any", "number"): "count count_star approx_count_distinct entropy",
    ("truth", "number"): "count_if countif",
    ("truth", "truth"): "bool_and bool_or",
    ("any", "same"): (
        "min max any_value arbitrary first last mode median quantile quantile_disc arg_min arg_max argmin argmax "
        "min_by max_by"
    ),
    ("any", "text"): "string_agg group_concat listagg",
    ("number", "number"): (
        "sum avg mean product fsum favg sumkahan kahan_sum stddev stddev_pop stddev_samp variance var_pop var_samp "
        "sem mad quantile_cont approx_quantile corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept "
        "regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness kurtosis kurtosis_pop bit_and bit_or bit_xor geomean "
        "geometric_mean wavg weighted_avg"
    ),
}
# Of SELECT alone; aggregates may stand over a window too.
_WINDOWS: _Table = {
    ("any", "number"): "row_number rank dense_rank rank_dense percent_rank cume_dist ntile",
    ("any", "same"): "lag lead first_value last_value nth_value",
}


def _functions(table: _Table) -> Iterator[tuple[str, Function]]:
    for (takes, gives), names in table.items():
        for name in names.split():
            yield name, Function(takes, gives)


# Of SELECT alone: a value that holds several, to split into rows.
_LISTS: _Table = {
    ("any", "any"): (
        "unnest string_split str_split split string_to_array string_split_regex str_split_regex regexp_split_to_array "
        "regexp_extract_all list_value row array_to_string list_contains list_element list_extract array_extract"
    ),
}


SCALARS: Mapping[str, Function] = dict(_functions(_SCALARS))
AGGREGATES: Mapping[str, Function] = dict(_functions(_AGGREGATES))
WINDOWS: Mapping[str, Function] = dict(_functions(_WINDOWS))
LISTS: Mapping[str, Function] = dict(_functions(_LISTS))

# Operators that the parser calls functions, as they are written between two values (or before one).
OPERATORS: Mapping[str, Function] = {
    **dict.fromkeys(("+", "-", "*", "/", "//", "%", "^", "**", "&", "|", "<<", ">>"), Function("number", "number")),
    "||": Function("any", "text"),
    **dict.fromkeys(("~~", "!~~", "~~*", "!~~*", "~~~", "^@"), Function("any", "truth")),
}
PREFIXES: Mapping[str, Function] = dict.fromkeys(("-", "+", "~", "@"), Function("number", "number"))

# What differs from run to run: refused with a word of its own.
UNSTEADY = frozenset(
    [
        *("now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"),
        *("current_localtime", "current_localtimestamp", "get_current_time", "get_current_timestamp"),
        *("transaction_timestamp", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "age", "ago"),
    ]
)

_TYPES: Mapping[str, str] = {
    "BOOLEAN": "boolean bool logical",
    "TINYINT": "tinyint int1",
    "SMALLINT": "smallint int2 short int16",
    "INTEGER": "integer int int4 signed int32",
    "BIGINT": "bigint int8 long int64 oid",
    "HUGEINT": "hugeint int128",
    "UTINYINT": "utinyint uint8",
    "USMALLINT": "usmallint uint16",
    "UINTEGER": "uinteger uint32",
    "UBIGINT": "ubigint uint64",
    "UHUGEINT": "uhugeint uint128",
    "FLOAT": "float real float4",
    "DOUBLE": "double float8 float64",
    "DECIMAL": "decimal numeric dec",
    "VARCHAR": "varchar text string char bpchar",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp datetime",
    "TIMESTAMPTZ": "timestamptz",
    "INTERVAL": "interval",
}
TYPES: Mapping[str, str] = {
    **{name: type_ for type_, names in _TYPES.items() for name in names.split()},
    "timestamp with time zone": "TIMESTAMPTZ",
}


def kind_of(type_: str | None) -> Kind:
    """What a value of this type is, by its name in a plan or in DuckDB.

    >>> kind_of("decimal(18,2)"), kind_of("BIGINT"), kind_of("date"), kind_of(None)
    ('number', 'number', 'moment', 'text')
    """
    match TYPES.get((type_ or "varchar").partition("(")[0].strip().lower()):
        case "VARCHAR":
            return "text"
        case "BOOLEAN":
            return "truth"
        case "DATE" | "TIME" | "TIMESTAMP" | "TIMESTAMPTZ" | "INTERVAL":
            return "moment"
        case None:
            return "any"
        case _:
            return "number"
