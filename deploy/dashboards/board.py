"""What a dashboard is made of: rows of panels, each with a sentence that says what it shows and for what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeSizing,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TableColorTextCellOptions,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import Dashboard as Made
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    MatcherConfig,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

# What every query asks for (the rules target-job and target-instance of Grafana's dashboard-linter).
HERE = 'job=~"$job", instance=~"$instance"'
# What is asked of the centre of a trust, which is one for all gateways whatever a viewer chose.
CENTRE = 'job="schoolgate-trust"'
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# Of a count: 12,345, and not 12.3 K.
_WHOLE = "locale"
_COUNTED = {"short", "reqps", "cps"}
# Pixels; a single bar would fill its panel.
_BAR_LEAST, _BAR_MOST = 10, 24


class Kind(Enum):
    """How a panel draws."""

    LINES = "timeseries"
    STACK = "stack"
    NUMBER = "stat"
    BARS = "bargauge"
    TABLE = "table"

    @property
    def is_instant(self) -> bool:
        """Whether it shows one moment."""
        return self in (Kind.BARS, Kind.TABLE)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, and what each line of the answer is called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: what it shows.
        said: a sentence or two: what that means, and when it is bad.
        queries: what is asked for.
        unit: of Grafana's list.
        kind: how it is drawn.
        bad: from where on it is red; None where no value is bad as such.
        falls: whether what is low is bad.
        width: of 24.
        height: of about seven for a course of time; all in a line have the same.
    """

    title: str
    said: str
    queries: Sequence[Query]
    unit: str
    kind: Kind = Kind.LINES
    bad: float | None = None
    falls: bool = False
    width: int = 8
    height: int = 7


@dataclass(frozen=True, slots=True)
class Variable:
    """What a viewer chooses beside the gateway: a label of a metric; unbounded ones are no labels."""

    name: str
    label: str
    metric: str


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        uid: by which others link to it.
        title: its name.
        said: whom it is for.
        rows: titles, each with its panels.
        variables: what a viewer chooses.
        days: how far back it looks.
    """

    uid: str
    title: str
    said: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    variables: Sequence[Variable] = field(default=())
    since: str = "now-6h"

    def panels(self) -> list[Panel]:
        """Give all of its panels."""
        return [panel for _, panels in self.rows for panel in panels]


def build(board: Board) -> Made:
    """Make what Grafana reads."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.said)
        .tags(["schoolgate"])
        .readonly()
        .refresh("30s")
        .time(board.since, "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_link("The portal", "${portal}", "Where requests and concerns are dealt with."))
        .link(_others())
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus")
        )
        .with_variable(
            dashboard.TextBoxVariable("portal")
            .label("Portal")
            .default_value("https://schoolgate.internal/")
        )
    )
    for variable in (
        Variable("job", "job", "schoolgate_policy_version"),
        Variable("instance", "instance", "schoolgate_policy_version"),
        *board.variables,
    ):
        made.with_variable(_variable(variable))
    for title, panels in board.rows:
        made.with_row(dashboard.Row(title))
        for panel in panels:
            made.with_panel(_panel(panel))
    return made.build()


def _variable(variable: Variable) -> dashboard.QueryVariable:
    within = "" if variable.name == "job" else '{job=~"$job"}'
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(_SOURCE)
        .query(f"label_values({variable.metric}{within}, {variable.name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        # A target without the label is meant as well.
        .all_value(".*" if variable.name == "school" else ".+")
    )


def _link(title: str, url: str, said: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(url)
        .tooltip(said)
        .icon("external link")
        .target_blank(True)
    )


def _others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("schoolgate")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["schoolgate"])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )


type Drawn = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel


def _panel(panel: Panel) -> Drawn:
    drawn = _drawn(panel)
    drawn.title(panel.title).description(panel.said).unit(panel.unit).datasource(_SOURCE)
    drawn.span(panel.width).height(panel.height).thresholds(_thresholds(panel))
    if panel.unit == _WHOLE:
        # What rose in a time is worked out from two samples that lie elsewhere, and is no whole number.
        drawn.decimals(0)
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + number))
        target.datasource(_SOURCE).legend_format(query.legend)
        if panel.kind is Kind.TABLE:
            target.format(PromQueryFormat.TABLE)
        drawn.with_target(target.instant() if panel.kind.is_instant else target.range())
    return drawn


def _drawn(panel: Panel) -> Drawn:
    match panel.kind:
        case Kind.NUMBER:
            last = common.ReduceDataOptions().calcs(["lastNotNull"])
            return stat.Panel().graph_mode(BigValueGraphMode.AREA).reduce_options(last)
        case Kind.BARS:
            last = common.ReduceDataOptions().calcs(["lastNotNull"])
            # Names of categories stand beside a bar that lies; its length is from nothing.
            lying = bargauge.Panel().orientation(VizOrientation.HORIZONTAL).min(0)
            small = common.VizTextDisplayOptions().title_size(13).value_size(13)
            lying.sizing(BarGaugeSizing.MANUAL).min_viz_height(_BAR_LEAST).max_viz_height(_BAR_MOST)
            return lying.reduce_options(last).text(small)
        case Kind.TABLE:
            return _table()
        case _:
            return _lines(panel)


def _table() -> table.Panel:
    """One table of a whole answer, with a column for each label, whose values have the threshold's colour."""
    columns = {"excludeByName": {"Time": True}, "renameByName": {"Value": "value"}}
    coloured = DynamicConfigValue("custom.cellOptions", TableColorTextCellOptions())
    return (
        table.Panel()
        .with_override(
            MatcherConfig("byNames", {"mode": "include", "names": ["value"]}), [coloured]
        )
        .with_transformation(DataTransformerConfig("organize", options=columns))
    )


def _lines(panel: Panel) -> timeseries.Panel:
    drawn = timeseries.Panel().min(0).line_width(1)
    drawn.fill_opacity(30 if panel.kind is Kind.STACK else 0)
    if panel.unit in _COUNTED:
        # Nothing at all is a line at the bottom, under its threshold, and not one of 0 to 100.
        drawn.axis_soft_max(1)
    drawn.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    drawn.legend(legend.placement(LegendPlacement.BOTTOM).show_legend(True))
    if panel.kind is Kind.STACK:
        drawn.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if panel.bad is not None:
        style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        drawn.thresholds_style(style)
    return drawn


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value=None, color="red" if panel.falls else "green")]
    if panel.bad is not None:
        steps.append(Threshold(value=panel.bad, color="green" if panel.falls else "red"))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
