/* The 153 characteristics of Jensen, Kelly and Pedersen (Journal of Finance 2023) and the 13 themes they sort them into. */
#include "io/jkp.h"

#include <string.h>

static const char *const theme[JKP_THEMES] = {
    "Accruals",      "Debt Issuance", "Investment",  "Low Leverage",        "Low Risk", "Momentum", "Profit Growth",
    "Profitability", "Quality",       "Seasonality", "Short-Term Reversal", "Size",     "Value"};

/* by name, for bsearch-like look-up; the number is the theme's place above */
static const struct {
    const char *name;
    int theme;
} characteristic[JKP_CHARACTERISTICS] = {
    {"age", 3},
    {"aliq_at", 2},
    {"aliq_mat", 3},
    {"ami_126d", 11},
    {"at_be", 3},
    {"at_gr1", 2},
    {"at_me", 12},
    {"at_turnover", 8},
    {"be_gr1a", 2},
    {"be_me", 12},
    {"beta_60m", 4},
    {"beta_dimson_21d", 4},
    {"betabab_1260d", 4},
    {"betadown_252d", 4},
    {"bev_mev", 12},
    {"bidaskhl_21d", 3},
    {"capex_abn", 1},
    {"capx_gr1", 2},
    {"capx_gr2", 2},
    {"capx_gr3", 2},
    {"cash_at", 3},
    {"chcsho_12m", 12},
    {"coa_gr1a", 2},
    {"col_gr1a", 2},
    {"cop_at", 8},
    {"cop_atl1", 8},
    {"corr_1260d", 9},
    {"coskew_21d", 9},
    {"cowc_gr1a", 0},
    {"dbnetis_at", 9},
    {"debt_gr3", 1},
    {"debt_me", 12},
    {"dgp_dsale", 8},
    {"div12m_me", 12},
    {"dolvol_126d", 11},
    {"dolvol_var_126d", 7},
    {"dsale_dinv", 6},
    {"dsale_drec", 6},
    {"dsale_dsga", 6},
    {"earnings_variability", 4},
    {"ebit_bev", 7},
    {"ebit_sale", 7},
    {"ebitda_mev", 12},
    {"emp_gr1", 2},
    {"eq_dur", 12},
    {"eqnetis_at", 12},
    {"eqnpo_12m", 12},
    {"eqnpo_me", 12},
    {"eqpo_me", 12},
    {"f_score", 7},
    {"fcf_me", 12},
    {"fnl_gr1a", 1},
    {"gp_at", 8},
    {"gp_atl1", 8},
    {"inv_gr1", 2},
    {"inv_gr1a", 2},
    {"iskew_capm_21d", 10},
    {"iskew_ff3_21d", 10},
    {"iskew_hxz4_21d", 10},
    {"ival_me", 12},
    {"ivol_capm_21d", 4},
    {"ivol_capm_252d", 4},
    {"ivol_ff3_21d", 4},
    {"ivol_hxz4_21d", 4},
    {"kz_index", 9},
    {"lnoa_gr1a", 2},
    {"lti_gr1a", 9},
    {"market_equity", 11},
    {"mispricing_mgmt", 2},
    {"mispricing_perf", 8},
    {"ncoa_gr1a", 2},
    {"ncol_gr1a", 1},
    {"netdebt_me", 3},
    {"netis_at", 12},
    {"nfna_gr1a", 1},
    {"ni_ar1", 1},
    {"ni_be", 7},
    {"ni_inc8q", 8},
    {"ni_ivol", 3},
    {"ni_me", 12},
    {"niq_at", 8},
    {"niq_at_chg1", 6},
    {"niq_be", 7},
    {"niq_be_chg1", 6},
    {"niq_su", 6},
    {"nncoa_gr1a", 2},
    {"noa_at", 1},
    {"noa_gr1a", 2},
    {"o_score", 7},
    {"oaccruals_at", 0},
    {"oaccruals_ni", 0},
    {"ocf_at", 7},
    {"ocf_at_chg1", 6},
    {"ocf_me", 12},
    {"ocfq_saleq_std", 4},
    {"op_at", 8},
    {"op_atl1", 8},
    {"ope_be", 7},
    {"ope_bel1", 7},
    {"opex_at", 8},
    {"pi_nix", 9},
    {"ppeinv_gr1a", 2},
    {"prc", 11},
    {"prc_highprc_252d", 5},
    {"qmj", 8},
    {"qmj_growth", 8},
    {"qmj_prof", 8},
    {"qmj_safety", 8},
    {"rd5_at", 3},
    {"rd_me", 11},
    {"rd_sale", 3},
    {"resff3_12_1", 5},
    {"resff3_6_1", 5},
    {"ret_12_1", 5},
    {"ret_12_7", 6},
    {"ret_1_0", 10},
    {"ret_3_1", 5},
    {"ret_60_12", 2},
    {"ret_6_1", 5},
    {"ret_9_1", 5},
    {"rmax1_21d", 4},
    {"rmax5_21d", 4},
    {"rmax5_rvol_21d", 10},
    {"rskew_21d", 10},
    {"rvol_21d", 4},
    {"sale_bev", 8},
    {"sale_emp_gr1", 6},
    {"sale_gr1", 2},
    {"sale_gr3", 2},
    {"sale_me", 12},
    {"saleq_gr1", 2},
    {"saleq_su", 6},
    {"seas_11_15an", 9},
    {"seas_11_15na", 9},
    {"seas_16_20an", 9},
    {"seas_16_20na", 0},
    {"seas_1_1an", 6},
    {"seas_1_1na", 5},
    {"seas_2_5an", 9},
    {"seas_2_5na", 2},
    {"seas_6_10an", 9},
    {"seas_6_10na", 4},
    {"sti_gr1a", 9},
    {"taccruals_at", 0},
    {"taccruals_ni", 0},
    {"tangibility", 3},
    {"tax_gr1a", 6},
    {"turnover_126d", 4},
    {"turnover_var_126d", 7},
    {"z_score", 3},
    {"zero_trades_126d", 4},
    {"zero_trades_21d", 4},
    {"zero_trades_252d", 4},
};

int jkp_find(const char *name)
{
    int low = 0, high = JKP_CHARACTERISTICS;
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(name, characteristic[middle].name);
        if (order == 0) return middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return -1;
}

const char *jkp_name(int k)
{
    return characteristic[k].name;
}
int jkp_theme(int k)
{
    return characteristic[k].theme;
}
const char *jkp_theme_name(int t)
{
    return theme[t];
}
