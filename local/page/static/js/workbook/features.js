// What of the workbooks' JSON can be shown here; all else is named instead of left out in silence.

const COMMON = [
  "type",
  "content",
  "name",
  "customWidth",
  "styleSettings",
  "conditionalVisibility",
  "conditionalVisibilities",
  "showPin",
];
const STYLE = ["margin", "padding", "maxWidth", "showBorder"];
const CONTENT = {
  1: ["json", "style"],
  3: [
    "version",
    "query",
    "size",
    "title",
    "noDataMessage",
    "noDataMessageStyle",
    "timeContextFromParameter",
    "timeContext",
    "exportedParameters",
    "exportFieldName",
    "exportParameterName",
    "exportDefaultValue",
    "queryType",
    "resourceType",
    "visualization",
    "chartSettings",
    "gridSettings",
    "tileSettings",
    "showExportToExcel",
    "exportToExcelOptions",
  ],
  9: ["version", "style", "parameters", "queryType", "resourceType"],
  11: ["version", "style", "links", "tabStyle"],
  12: ["version", "groupType", "exportParameters", "items", "title", "loadType", "expandable", "expanded"],
};
const PARAMETER = [
  "id",
  "version",
  "name",
  "label",
  "description",
  "type",
  "isRequired",
  "isGlobal",
  "isHiddenWhenLocked",
  "value",
  "query",
  "jsonData",
  "multiSelect",
  "quote",
  "delimiter",
  "typeSettings",
  "timeContext",
  "timeContextFromParameter",
  "queryType",
  "resourceType",
];
const PARAMETER_SETTINGS = [
  "additionalResourceOptions",
  "selectAllValue",
  "showDefault",
  "selectableValues",
  "allowCustom",
];
const LINK = ["id", "cellValue", "linkTarget", "linkLabel", "subTarget", "style", "preText", "postText"];
const CHART = [
  "xAxis",
  "yAxis",
  "group",
  "createOtherGroup",
  "showLegend",
  "showMetrics",
  "ySettings",
  "xSettings",
  "customThresholdLine",
  "customThresholdLineStyle",
  "seriesLabelSettings",
];
const GRID = ["formatters", "rowLimit", "filter", "labelSettings", "sortBy"];
const TILES = [
  "titleContent",
  "subtitleContent",
  "leftContent",
  "rightContent",
  "secondaryContent",
  "showBorder",
  "size",
  "sortCriteriaField",
  "sortOrderField",
];
const RULE = ["columnMatch", "formatter", "formatOptions", "numberFormat", "dateFormat", "tooltipFormat"];
const RULE_OPTIONS = [
  "min",
  "max",
  "palette",
  "thresholdsOptions",
  "thresholdsGrid",
  "customColumnWidthSetting",
  "linkTarget",
  "linkLabel",
  "aggregation",
];
const AXIS = ["unit", "numberFormatSettings", "min", "max", "label"];

export const TIME_RANGE = 4;
export const DROP_DOWN = 2;
export const TEXT_BOX = 1;
export const VISUALIZATIONS = [
  "timechart",
  "linechart",
  "areachart",
  "barchart",
  "unstackedbar",
  "categoricalbar",
  "piechart",
  "tiles",
  "table",
];
export const FORMATTERS = {
  AUTOMATIC: 0,
  TEXT: 1,
  BAR: 3,
  BAR_UNDER: 4,
  HIDDEN: 5,
  DATE: 6,
  LINK: 7,
  HEAT: 8,
  BIG: 12,
  THRESHOLDS: 18,
};
export const UNITS = { PLAIN: 0, PERCENT: 1, SHORT: 17, MILLISECONDS: 23, SECONDS: 24 };
export const OPERATORS = ["Default", "==", "!=", ">", ">=", "<", "<=", "contains", "is Empty"];
export const TONES = {
  green: "good",
  lightBlue: "info",
  blue: "info",
  gray: "",
  yellow: "warn",
  orange: "warn",
  redBright: "bad",
  red: "bad",
};
export const COMPARISONS = ["isEqualTo", "isNotEqualTo"];

const beyond = (what, given, known) =>
  Object.keys(given ?? {})
    .filter((key) => !known.includes(key))
    .map((key) => `${what} ${key}`);
const unless = (fits, what) => (fits ? [] : [what]);

/** Return what of an item cannot be shown, in words; empty where all can. */
export function lacking(item) {
  const { type, content = {} } = item;
  if (!(type in CONTENT)) return [`items of type ${type}`];
  return [
    ...beyond("the item's", item, COMMON),
    ...beyond("the style", item.styleSettings, STYLE),
    ...beyond("the content's", content, CONTENT[type]),
    ...conditions(item).flatMap(({ comparison }) =>
      unless(COMPARISONS.includes(comparison), `the condition ${comparison}`),
    ),
    ...inContent(type, content),
  ];
}

/** Return an item's conditions, of either way to write them. */
export const conditions = ({ conditionalVisibility, conditionalVisibilities }) => [
  ...(conditionalVisibilities ?? []),
  ...(conditionalVisibility ? [conditionalVisibility] : []),
];

function inContent(type, content) {
  if (type === 3) return inQuery(content);
  if (type === 9) return content.parameters.flatMap(inParameter);
  if (type === 11)
    return [
      ...unless(content.style === "tabs", `links of style ${content.style}`),
      ...content.links.flatMap((link) => [
        ...beyond("the link's", link, LINK),
        ...unless(link.linkTarget === "parameter", `links to ${link.linkTarget}`),
      ]),
    ];
  return [];
}

function inParameter({ type, typeSettings, queryType = 0, ...rest }) {
  return [
    ...beyond("the parameter's", rest, PARAMETER),
    ...beyond("the parameter's", typeSettings, PARAMETER_SETTINGS),
    ...unless([TIME_RANGE, DROP_DOWN, TEXT_BOX].includes(type), `parameters of type ${type}`),
    ...unless(queryType === 0, `queries of type ${queryType}`),
  ];
}

function inQuery({ queryType = 0, visualization = "table", chartSettings, gridSettings, tileSettings }) {
  return [
    ...unless(queryType === 0, `queries of type ${queryType}`),
    ...unless(VISUALIZATIONS.includes(visualization), `the visualization ${visualization}`),
    ...beyond("the chart's", chartSettings, CHART),
    ...beyond("the axis'", chartSettings?.ySettings, AXIS),
    ...numbers(chartSettings?.ySettings?.numberFormatSettings),
    ...beyond("the grid's", gridSettings, GRID),
    ...(gridSettings?.formatters ?? []).flatMap(inRule),
    ...beyond("the tile's", tileSettings, TILES),
    ...["titleContent", "subtitleContent", "leftContent", "rightContent", "secondaryContent"].flatMap(
      (part) => (tileSettings?.[part] ? inRule(tileSettings[part]) : []),
    ),
  ];
}

function inRule({ formatter = 0, formatOptions, numberFormat, ...rest }) {
  const thresholds = formatOptions?.thresholdsGrid ?? [];
  return [
    ...beyond("the formatter's", rest, RULE),
    ...beyond("the formatter's", formatOptions, RULE_OPTIONS),
    ...numbers(numberFormat),
    ...unless(Object.values(FORMATTERS).includes(formatter), `the formatter ${formatter}`),
    ...thresholds.flatMap(({ operator, representation }) => [
      ...unless(OPERATORS.includes(operator), `the operator ${operator}`),
      ...unless(representation in TONES, `the color ${representation}`),
    ]),
  ];
}

const numbers = (format) =>
  format ? unless(Object.values(UNITS).includes(format.unit ?? 0), `the unit ${format.unit}`) : [];
