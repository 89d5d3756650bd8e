/* Names of the public factor data of Jensen, Kelly and Pedersen (JKP): 153 characteristics in 13 themes. */
#ifndef IO_JKP_H
#define IO_JKP_H

enum { JKP_CHARACTERISTICS = 153, JKP_THEMES = 13 };

int jkp_find(const char *name); /* place in the list, -1: not one of them */
const char *jkp_name(int k);    /* k = 0 .. 152, in name order */
int jkp_theme(int k);           /* of characteristic k: 0 .. 12 */
const char *jkp_theme_name(int theme);

#endif
